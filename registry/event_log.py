"""Events as they happen: to the log at once, kept for the admin API, and written down in the registry."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import count, islice, takewhile
from typing import TYPE_CHECKING

from core.broadcast import Broadcast
from core.events import Event, EventKind
from registry.errors import RegistryUnavailable
from registry.event_filter import EventFilter
from registry.event_writer import EventWriter
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl")

KEPT = 1000
"""Events of each kind. Whoever calls a model can bring about as many failed requests as he likes: they must not push
what became of a release out of sight."""
_ERRORS = frozenset({EventKind.FAILED, EventKind.CRASH_LOOP, EventKind.SOURCE_LOST})
_WARNINGS = frozenset(
    {
        *(EventKind.LEFT_OUT, EventKind.WORKER_LOST, EventKind.REQUEST_FAILED),
        *(EventKind.GATEWAY_LOST, EventKind.HISTORY_REWRITTEN),
    }
)

Numbered = tuple[int, Event]
"""By the order of their coming, whatever the clock did meanwhile; those of earlier runs have numbers below zero."""


class EventLog:
    """The newest events, bounded. For the thread of one event loop."""

    def __init__(self, registry: Registry | None = None) -> None:
        """Without a registry, events are only kept here."""
        self.last = -1
        """The number of the newest event that came here; those that are remembered have smaller ones."""
        self.news = Broadcast()
        """Sent with every event."""
        self._registry = registry
        self._writer = None if registry is None else EventWriter(registry, self._hand_over, KEPT)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kinds: defaultdict[tuple[EventKind, bool], deque[Numbered]] = defaultdict(partial(deque, maxlen=KEPT))
        """What people did is kept apart from what happened by itself."""
        self._numbers = count()
        self._commits: set[asyncio.Task[None]] = set()
        self._last_detail: dict[str, str] = {}
        """Of each model, as logged: a traceback that repeats at every try is logged once."""

    def start(self) -> None:
        """Begin to write events down, those that were recorded so far first, and to remember those of earlier runs."""
        if self._writer is not None:
            self._loop = asyncio.get_running_loop()
            self._writer.start()

    def close(self, timeout_s: float) -> None:
        """Write down what isn't yet, for at most so long. Blocks; for any thread."""
        if self._writer is not None:
            self._writer.close(timeout_s)

    def record(self, event: Event) -> None:
        """What happened by itself; it is written down some time soon."""
        self._keep(event)
        if self._writer is not None:
            self._writer.write(event)

    async def commit(self, action: Callable[[Transaction], Sequence[Event]]) -> None:
        """Do what somebody asked for and write down the events that it returns: one transaction, committed on return.

        `action` runs in a thread. Raises what it raises, and RegistryUnavailable: then nothing is done nor kept.
        Whoever goes away meanwhile stops nothing.
        """
        task = asyncio.create_task(self._commit(action))
        self._commits.add(task)
        task.add_done_callback(self._committed)
        await asyncio.shield(task)

    def remember(self, earlier: list[Event]) -> None:
        """Take in events of earlier runs, newest first; they count as older than what was recorded here."""
        ours = {event.id for _, event in self._newest()}
        for number, event in enumerate(earlier, 1):
            kept = self._kinds[event.kind, event.is_audit]
            if event.id not in ours and len(kept) < KEPT:
                kept.appendleft((-number, event))

    async def listed(self, chosen: EventFilter, *, before: str | None = None, most: int = 100) -> list[Event]:
        """The newest first; `before`: those that come after the one of that id in this order."""
        events: Iterable[Event] = (event for _, event in self._newest(chosen.kind))
        if before is not None:
            events = _after(before, list(events))
        return list(islice(filter(chosen.takes, events), most))

    def place_of(self, id: str) -> int | None:
        """The number of an event, or of the last before it where it is gone by now; None: all came after it."""
        numbered = list(self._newest())
        found = next((number for number, event in numbered if event.id == id), None)
        return found if found is not None else next((number for number, event in numbered if event.id < id), None)

    def after(self, place: int) -> list[Numbered]:
        """What came after the event of that number, in order."""
        return list(takewhile(lambda numbered: numbered[0] > place, self._newest()))[::-1]

    def newest(
        self,
        *,
        model: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        before: str | None = None,
        most: int = 100,
    ) -> list[Event]:
        """The newest events first; `before`: those that come after the one of that id in this order."""
        events = [event for _, event in self._newest(kind)]
        if before is not None:
            events = _after(before, events)
        chosen = (event for event in events if model in (None, event.model) and (since is None or event.at >= since))
        return list(islice(chosen, most))

    def newest_of_each_kind(self, model: str, most: int) -> list[Event]:
        """So many of each, all of them newest first."""
        kept = {
            event.id
            for kind in {kind for kind, _ in self._kinds}
            for event in self.newest(model=model, kind=kind, most=most)
        }
        return [event for _, event in self._newest() if event.id in kept]

    async def _commit(self, action: Callable[[Transaction], Sequence[Event]]) -> None:
        def act(transaction: Transaction) -> Sequence[Event]:
            events = action(transaction)
            transaction.events.append(events)
            return events

        if self._registry is None:
            raise RegistryUnavailable("there is no registry")
        for event in await self._registry.perform(act):
            self._keep(event)

    def _committed(self, task: asyncio.Task[None]) -> None:
        self._commits.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may have gone away

    def _keep(self, event: Event) -> None:
        self.last = next(self._numbers)
        self._kinds[event.kind, event.is_audit].append((self.last, event))
        self.news.send()
        who = f"{event.model}: " if event.model else ""
        log.log(_level(event.kind), "%s%s%s", who, _indented(event.message).lstrip(), self._new_detail(event))

    def _hand_over(self, earlier: list[Event]) -> None:
        """From the writer's thread."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.remember, earlier)

    def _newest(self, kind: str | None = None) -> Iterator[Numbered]:
        kinds = [reversed(kept) for (name, _), kept in self._kinds.items() if kind in (None, name)]
        return merge(*kinds, key=lambda numbered: numbered[0], reverse=True)

    def _new_detail(self, event: Event) -> str:
        if not event.detail or self._last_detail.get(event.model) == event.detail:
            return ""
        self._last_detail[event.model] = event.detail
        return "\n" + _indented(event.detail)


def _after(id: str, events: list[Event]) -> list[Event]:
    """What follows the event of that id; where it is gone by now, what is older than it was."""
    for place, event in enumerate(events, 1):
        if event.id == id:
            return events[place:]
    return [event for event in events if event.id < id]


def _level(kind: EventKind) -> int:
    return logging.ERROR if kind in _ERRORS else logging.WARNING if kind in _WARNINGS else logging.INFO


def _indented(text: str) -> str:
    """So that it can't pass for lines of the log's own, nor steer a terminal: a request may be quoted in it."""
    lines = (_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line) for line in text.rstrip().splitlines())
    return "\n".join(f"    {line}" for line in lines)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
