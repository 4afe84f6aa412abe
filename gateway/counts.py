"""What the gateway counts between two reports to the daemon."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from weakref import WeakValueDictionary

from gateway.messages import DURATION_BUCKETS_S, Counted, Durations

CLIENT_GONE = 499
"""Counted for a request whose client has left before its answer; nginx's number for the same."""


class Tally:
    """Answers of one version of one model since the last report to the daemon."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._clear()

    def _clear(self) -> None:
        self.statuses: defaultdict[int, int] = defaultdict(int)
        self.buckets = [0] * (len(DURATION_BUCKETS_S) + 1)
        self.sum_s = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.buckets[bisect_left(DURATION_BUCKETS_S, seconds)] += 1
        self.sum_s += seconds

    def take(self) -> tuple[dict[int, int], Durations]:
        taken = dict(self.statuses), Durations(buckets=self.buckets, sum_s=self.sum_s)
        self._clear()
        return taken


class Counts:
    """A tally for each version that is routed to, kept for as long as a target uses it and until it is reported."""

    def __init__(self) -> None:
        self._used: WeakValueDictionary[str, Tally] = WeakValueDictionary()
        self._unreported: list[Tally] = []

    def tally(self, name: str) -> Tally:
        """The tally of `name` (`Model/vN`)."""
        tally = self._used.get(name)
        if tally is None:
            tally = self._used[name] = Tally(name)
            self._unreported.append(tally)
        return tally

    def take(self, outstanding: Mapping[str, int]) -> Counted:
        """What came since the last call."""
        reported = {tally.name: tally.take() for tally in self._unreported if tally.statuses}
        self._unreported.clear()
        self._unreported.extend(self._used.values())
        return Counted(
            requests={name: statuses for name, (statuses, _) in reported.items()},
            durations={name: durations for name, (_, durations) in reported.items()},
            outstanding=dict(outstanding),
        )
