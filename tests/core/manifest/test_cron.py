from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.manifest.cron import NotCron, check, next_time

MONDAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "next"),
    [
        ("0 3 * * *", datetime(2026, 6, 2, 3, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 6, 1, 12, 15, tzinfo=UTC)),
        ("0 0 * * 0", datetime(2026, 6, 7, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 6, 7, tzinfo=UTC)),
        ("0 0 * * 2", datetime(2026, 6, 2, tzinfo=UTC)),
        ("0 0 * * fri-sun", datetime(2026, 6, 5, tzinfo=UTC)),
        ("0 0 * * 5-7", datetime(2026, 6, 5, tzinfo=UTC)),
        ("0 0 * * */2", datetime(2026, 6, 2, tzinfo=UTC)),
        ("0 0 * 2 1#1", None),
        ("0 0 20 * 3", datetime(2026, 6, 3, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_times_are_those_that_cron_means(expression: str, next: datetime | None) -> None:
    if next is None:
        with pytest.raises(NotCron):
            check(expression)
    else:
        found = next_time(expression, MONDAY)
        assert found == next


@pytest.mark.parametrize("expression", ["", "* * * *", "* * * * * *", "0 0 31 4 *", "a b c d e", "0 0 * * mon-xyz"])
def test_what_names_no_time_is_refused(expression: str) -> None:
    with pytest.raises(NotCron):
        check(expression)
