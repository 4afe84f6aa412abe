"""What the gateway counts between two reports to the daemon."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from weakref import WeakValueDictionary

from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import DURATION_BOUNDS_NS, QUEUE_BOUNDS_NS, Histogram
from gateway.messages import Counted, Tallied


class Tally:
    """Answers of one series since the last report to the daemon."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self._clear()

    def _clear(self) -> None:
        self.statuses: defaultdict[int, int] = defaultdict(int)
        self._durations = [0] * (len(DURATION_BOUNDS_NS) + 1)  # of lists, for counting in them is quickest
        self._queue = [0] * (len(QUEUE_BOUNDS_NS) + 1)
        self._durations_ns = self._queue_ns = 0

    def add(self, status: int, took_ns: int) -> None:
        self.statuses[status] += 1
        self._durations[bisect_left(DURATION_BOUNDS_NS, took_ns)] += 1
        self._durations_ns += took_ns

    def add_queued(self, status: int, took_ns: int, waited_ns: int) -> None:
        """Of a request that a worker began with, and how long that took."""
        self.statuses[status] += 1
        self._durations[bisect_left(DURATION_BOUNDS_NS, took_ns)] += 1
        self._durations_ns += took_ns
        self._queue[bisect_left(QUEUE_BOUNDS_NS, waited_ns)] += 1
        self._queue_ns += waited_ns

    def take(self) -> Tallied:
        taken = Bucket(
            self.statuses,
            Histogram(_sparse(self._durations), self._durations_ns),
            Histogram(_sparse(self._queue), self._queue_ns),
        )
        self._clear()
        return Tallied(self.series, taken)


def _sparse(counts: list[int]) -> dict[int, int]:
    return {index: count for index, count in enumerate(counts) if count}


class Counts:
    """A tally for each series that is routed to, kept for as long as a target uses it and until it is reported."""

    def __init__(self) -> None:
        self._used: WeakValueDictionary[Series, Tally] = WeakValueDictionary()
        self._unreported: list[Tally] = []

    def tally(self, series: Series) -> Tally:
        tally = self._used.get(series)
        if tally is None:
            tally = self._used[series] = Tally(series)
            self._unreported.append(tally)
        return tally

    def take(self, outstanding: Mapping[str, int]) -> Counted:
        """What came since the last call."""
        tallies = [tally.take() for tally in self._unreported if tally.statuses]
        self._unreported.clear()
        self._unreported.extend(self._used.values())
        return Counted(tallies=tallies, outstanding=dict(outstanding))
