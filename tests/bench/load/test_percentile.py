"""The nearest rank."""

from __future__ import annotations

from bench.load.percentile import percentile, percentile_of_counts


def test_the_nearest_rank_counts() -> None:
    hundred = range(100, 0, -1)
    assert [percentile(hundred, share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([1, 2], 0.5) == 1
    assert percentile([7], 0.01) == 7
    assert percentile([], 0.5) == 0


def test_counted_values_come_out_as_if_each_were_there_as_often() -> None:
    counts = [(10, 50), (20, 49), (900, 1)]
    assert [percentile_of_counts(counts, share) for share in (0.5, 0.51, 0.99, 1.0)] == [10, 20, 20, 900]
    assert percentile_of_counts([], 0.5) == 0
