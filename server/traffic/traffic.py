"""The one place where what was counted comes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.traffic.bucket import Bucket, Series
from gateway.messages import Counted
from server.traffic.totals import Totals

Take = Callable[[Series, Bucket], None]


class Traffic:
    """Sums since the daemon's start, and whoever else takes what is counted."""

    def __init__(self, takers: Iterable[Take] = ()) -> None:
        self.totals = Totals()
        self._takers = (self.totals.add, *takers)

    def take(self, counted: Counted) -> None:
        """Take in what a gateway counted since its last message."""
        for tallied in counted.tallies:
            self.add(tallied.series, tallied.bucket)

    def add(self, series: Series, bucket: Bucket) -> None:
        for take in self._takers:
            take(series, bucket)
