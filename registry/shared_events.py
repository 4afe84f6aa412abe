"""Takes in the events that other daemons write to the same database."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.events import Event
from core.pause import Pause
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl.registry")

_LOOK_S = 2.0
"""Between two looks while nothing is heard."""
_LATE_S = 30.0
"""A number is given when an event is written, and seen when that is committed: that much later than greater ones."""
_MOST = 1000


@dataclass(frozen=True)
class Look:
    """What one transaction found."""

    floor: int
    """After which it looked."""
    newest: int
    """The greatest number that there was."""
    events: Mapping[int, Event]


class EventsOfOthers:
    """What is new of others, each event once: whoever has read a look takes it, once its transaction is over."""

    def __init__(self, mark: str, now: Callable[[], float] = time.monotonic) -> None:
        """`mark`: how the keys of our own begin."""
        self._mark = mark
        self._now = now
        self._looks: deque[tuple[float, int]] = deque()
        """When was looked, and the greatest number that there was."""
        self.floor: int | None = None
        """Up to which nothing is new any more."""
        self._newest = 0
        self._known: frozenset[int] = frozenset()

    def read(self, transaction: Transaction) -> Look:
        """In any thread, for it changes nothing. At first, and where a database has fewer events than there were, those
        of the last moments: earlier ones are remembered by whoever reads the database at a start."""
        newest, floor, known = transaction.events.last(), self.floor, self._known
        if floor is None or newest < self._newest:
            floor = transaction.events.last(datetime.now(UTC) - timedelta(seconds=_LATE_S))
            known = frozenset()
        return Look(floor, newest, transaction.events.by_others(self._mark, floor, known, _MOST))

    def take(self, look: Look) -> Sequence[Event]:
        """What it found, which is known from now on."""
        if look.newest < self._newest:  # another database, or an older copy of it
            self._looks.clear()
            self._known = frozenset()
        self._newest = look.newest
        self.floor = self._risen(look)
        self._known = frozenset(number for number in (*self._known, *look.events) if number > self.floor)
        return list(look.events.values())

    def _risen(self, look: Look) -> int:
        floor, now = look.floor, self._now()
        self._looks.append((now, look.newest))
        while self._looks[0][0] < now - _LATE_S:
            floor = max(floor, self._looks.popleft()[1])
        return floor


class SharedEvents:
    """`run` looks again and again, and soon after `hasten`."""

    def __init__(self, registry: Registry, event_log: EventLog) -> None:
        self._registry = registry
        self._event_log = event_log
        self._others = EventsOfOthers(event_log.keys.mark)
        self._pause = Pause()

    def hasten(self) -> None:
        """Something was written."""
        self._pause.hasten()

    async def run(self) -> None:
        while True:
            try:
                look = await self._registry.perform(self._others.read)
                self._event_log.kept.take(self._others.take(look))
            except RegistryUnavailable as error:  # as others have said
                log.debug("events of other daemons can't be read: %s", error)
            except Exception:
                log.exception("a failure of Pawl's own while reading events of other daemons; it is tried again")
            await self._pause.wait(_LOOK_S)
