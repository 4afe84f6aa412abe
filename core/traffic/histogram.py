"""Histograms that add up exactly, and what can be told of one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import msgspec

_STEPS = (10, 12, 15, 17, 20, 25, 30, 35, 40, 50, 60, 75)
"""Bounds in each power of ten, in tenths of it: a percentile read off is at most a third away from the true one."""

DURATION_BOUNDS_NS = tuple(step * 10**power for power in range(4, 11) for step in _STEPS)
"""Upper bounds of durations: from 0.1 ms to 750 s."""
QUEUE_BOUNDS_NS = tuple(step * 10**power for power in range(4, 10) for step in (10, 15, 25, 35, 50, 75))
"""Those of times in a queue: half as many, for a history of both takes room."""
ROW_BOUNDS = tuple(2**power for power in range(11))
"""Upper bounds of the rows of a batch."""


class Histogram(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many values there are up to each bound, and their sum: whole numbers, so that adding up loses nothing."""

    counts: dict[int, int] = {}
    """By the index of the first bound that is not below the value; one more than the last index is above them all."""
    total: int = 0
    """The values' sum, in their own unit."""

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """None where there is nothing."""
        count = self.count
        return self.total / count if count else None


def merge_histograms(histograms: Iterable[Histogram]) -> Histogram:
    counts: dict[int, int] = {}
    total = 0
    for histogram in histograms:
        merge_into(counts, histogram.counts)
        total += histogram.total
    return Histogram(counts, total)


def percentile(histogram: Histogram, bounds: Sequence[int], share: float) -> float | None:
    """The value that `share` of the values do not exceed, as far as a histogram tells: values are taken to lie evenly
    between two bounds. None where there is nothing."""
    return percentiles(histogram, bounds, (share,))[0]


def percentiles(histogram: Histogram, bounds: Sequence[int], shares: Sequence[float]) -> list[float | None]:
    """The same of several shares: quicker than one by one."""
    counts = histogram.counts
    indices = sorted(counts)
    sums = list(accumulate(counts[index] for index in indices))
    total = sums[-1] if sums else 0
    if not total:
        return [None] * len(shares)
    found: list[float | None] = []
    for share in shares:
        rank = share * total
        place = bisect_left(sums, rank)
        index, count = indices[place], counts[indices[place]]
        lower, upper = bounds[index - 1] if index else 0, bounds[min(index, len(bounds) - 1)]
        within = max(0.0, rank - sums[place] + count) / count if count else 0.0
        found.append(lower + (upper - lower) * within)
    return found


def merge_into(counts: dict[int, int], more: dict[int, int]) -> None:
    """Adds counts up in place, which is quicker than a Counter does it."""
    for index, count in more.items():
        counts[index] = counts.get(index, 0) + count
