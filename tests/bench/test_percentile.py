"""The nearest rank."""

from __future__ import annotations

from bench.percentile import percentile


def test_the_nearest_rank_counts() -> None:
    hundred = range(100, 0, -1)
    assert [percentile(hundred, share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([1, 2], 0.5) == 1
    assert percentile([7], 0.01) == 7
    assert percentile([], 0.5) == 0
