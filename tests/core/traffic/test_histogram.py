from __future__ import annotations

from bisect import bisect_left
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram, percentile, percentiles

durations = st.lists(st.integers(100_001, DURATION_BOUNDS_NS[-1]), min_size=1, max_size=60)


def histogram(values: list[int]) -> Histogram:
    return Histogram(Counter(bisect_left(DURATION_BOUNDS_NS, value) for value in values), sum(values))


@settings(max_examples=40)
@given(durations, st.sampled_from((0.5, 0.95, 0.99)))
def test_a_percentile_is_a_third_from_the_true_one_at_most(values: list[int], share: float) -> None:
    exact = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    found = percentile(histogram(values), DURATION_BOUNDS_NS, share)
    assert found is not None
    assert exact * 0.749 <= found <= exact * 1.334


def test_the_mean_is_exact() -> None:
    assert histogram([1_000_000, 2_000_001]).mean == pytest.approx(1_500_000.5)


def test_of_nothing_there_is_nothing_to_tell() -> None:
    assert (percentile(Histogram(), DURATION_BOUNDS_NS, 0.5), Histogram().mean) == (None, None)


def test_what_is_above_all_bounds_counts_as_the_last() -> None:
    found = percentile(Histogram({len(DURATION_BOUNDS_NS): 3}, 0), DURATION_BOUNDS_NS, 0.5)
    assert found == DURATION_BOUNDS_NS[-1]


@given(st.lists(st.integers(0, 10**11), max_size=40))
def test_several_percentiles_at_once_are_those_of_each_alone(values: list[int]) -> None:
    shares = (0.0, 0.5, 0.95, 0.99, 1.0)
    found = histogram(values)
    each = [percentile(found, DURATION_BOUNDS_NS, share) for share in shares]
    assert percentiles(found, DURATION_BOUNDS_NS, shares) == each
