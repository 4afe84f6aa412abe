"""Takes in the events that other daemons write to the same database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.events import Event
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl.registry")

_LOOK_S = 2.0
"""Between two looks while nothing is heard."""
_LEAST_S = 0.2
"""Between two looks however much is heard."""
_LATE_S = 30.0
"""A number is given when an event is written, and seen when that is committed: that much later than greater ones."""
_MOST = 1000


class EventsOfOthers:
    """What is new of others, each event once. For one thread at a time."""

    def __init__(self, mark: str, now: Callable[[], float] = time.monotonic) -> None:
        """`mark`: how the keys of our own begin."""
        self._mark = mark
        self._now = now
        self._looks: deque[tuple[float, int]] = deque()
        """When was looked, and the greatest number that there was."""
        self.floor: int | None = None
        """Up to which nothing is new any more."""
        self._known: set[int] = set()

    def new(self, transaction: Transaction) -> list[Event]:
        """At first, those of the last moments: earlier ones are remembered by whoever reads the database at a start."""
        if self.floor is None:
            self.floor = transaction.events.last(datetime.now(UTC) - timedelta(seconds=_LATE_S))
        newest = transaction.events.last()
        found = transaction.events.by_others(self._mark, self.floor, self._known, _MOST)
        self._known.update(found)
        self._looks.append((self._now(), newest))
        while self._looks[0][0] < self._now() - _LATE_S:
            self.floor = max(self.floor, self._looks.popleft()[1])
        self._known = {number for number in self._known if number > self.floor}
        return list(found.values())


class SharedEvents:
    """`run` looks again and again, and soon after `hasten`."""

    def __init__(self, registry: Registry, event_log: EventLog) -> None:
        self._registry = registry
        self._event_log = event_log
        self._others = EventsOfOthers(event_log.keys.mark)
        self._soon = asyncio.Event()

    def hasten(self) -> None:
        """Something was written."""
        self._soon.set()

    async def run(self) -> None:
        while True:
            self._soon.clear()
            try:
                self._event_log.take(await self._registry.perform(self._others.new))
            except RegistryUnavailable as error:  # as others have said
                log.debug("events of other daemons can't be read: %s", error)
            except Exception:
                log.exception("a failure of Pawl's own while reading events of other daemons; it is tried again")
            await asyncio.sleep(_LEAST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._soon.wait()
