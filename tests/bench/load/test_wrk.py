"""What wrk tells, without what it makes up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.load.wrk import answered


def with_made_up(took: dict[int, int], interval: int) -> list[tuple[int, int]]:
    """As wrk adds them, of those that took two intervals or more."""
    counts = Counter(took)
    for each in range(2 * interval, max(took) + 1):
        for made_up in range(each - interval, interval, -interval):
            counts[made_up] += counts[each]
    return sorted((each, count) for each, count in counts.items() if count)


@given(st.dictionaries(st.integers(1, 300), st.integers(1, 50), min_size=1), st.integers(1, 120))
def test_what_was_answered_is_what_is_left(took: dict[int, int], interval: int) -> None:
    assert answered(with_made_up(took, interval), interval) == sorted(took.items())
