from __future__ import annotations

import pytest

from pawl.terminal.curves import curves
from pawl.terminal.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([5], "▁"),
        ([2, 2, 2], "▁▁▁"),
        ([0, 7, 3.5], "▁█▅"),
        ([-1.7e308, 1.7e308], "▁█"),
        ([1, 0], "█▁"),
    ],
)
def test_the_least_value_is_lowest_and_the_greatest_highest(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_a_long_curve_fits_in_a_line_and_ends_with_its_last_value() -> None:
    drawn = sparkline([*range(2000), 0])
    assert (len(drawn), drawn[-2], drawn[-1]) == (40, "█", "▁")


def test_each_score_has_a_line_but_one_that_came_once_or_never() -> None:
    points = [{"loss": 1.0, "bad": None}, {"loss": 0.25, "once": 3.0, "bad": None}]
    assert dict(curves(points)) == {"loss": "█▁ 1 to 0.25"}
