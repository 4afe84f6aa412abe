"""The one place where what gateways counted comes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.messages import Counted
from server.traffic.totals import Totals


class Traffic:
    """Sums since the daemon's start; who else wants to know of each message is told."""

    def __init__(self, told: Iterable[Callable[[Counted], None]] = ()) -> None:
        self.totals = Totals()
        self._told = tuple(told)

    def take(self, counted: Counted) -> None:
        """Take in what a gateway counted since its last message."""
        for name in counted.requests.keys() | counted.durations.keys():
            self.totals.add(name, counted.requests.get(name, {}), counted.durations.get(name))
        for tell in self._told:
            tell(counted)
