"""Percentiles by the nearest rank."""

from __future__ import annotations

from collections.abc import Iterable


def percentile(values: Iterable[float], share: float) -> float:
    """The least of the values that at least this share of them doesn't exceed; 0 of none."""
    return percentile_of_counts([(value, 1) for value in sorted(values)], share)


def percentile_of_counts(counts: Iterable[tuple[float, int]], share: float) -> float:
    """The same of values, rising, with how many there are of each."""
    counted = list(counts)
    left = share * sum(count for _, count in counted)
    for value, count in counted:
        left -= count
        if left <= 0:
            return value
    return 0.0
