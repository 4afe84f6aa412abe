"""Events as they happen: to the log at once, kept for the admin API, and written down in the registry."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from heapq import merge
from itertools import count, islice, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

from core.broadcast import Broadcast
from core.events import Event, EventKind, moment_of
from registry.errors import RegistryUnavailable
from registry.event_filter import EVERYTHING, EventFilter
from registry.event_keys import EventKeys
from registry.event_writer import EventWriter
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl")

KEPT = 1000
"""Events of each kind. Whoever calls a model can bring about as many failed requests as he likes: they must not push
what became of a release out of sight."""
_LIST_S = 5.0
"""For the database to list events in."""
_AT_ONE_MOMENT = 50
"""Events that may have happened at the same time as the last of a page."""
_ROUNDED = timedelta(microseconds=5)
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
        self.keys = EventKeys()
        self._registry = registry
        self._writer = None if registry is None else EventWriter(registry, self._hand_over, KEPT, self.keys)
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

    async def tell(self, event: Event) -> None:
        """What somebody does that changes nothing in the registry: written down on return. Raises as `commit` does."""
        await self.commit(lambda transaction: [event])

    def take(self, events: Sequence[Event]) -> None:
        """Keep what other daemons wrote to the registry, in that order; their logs tell of it."""
        kinds = {(event.kind, event.is_audit) for event in events}
        known = {_identity(event) for kind in kinds for _, event in self._kinds[kind]}
        for event in events:
            if _identity(event) not in known:
                known.add(_identity(event))
                self._add(event)

    def remember(self, earlier: list[Event]) -> None:
        """Take in events of earlier runs, newest first; they count as older than what was recorded here."""
        ours = {event.id for _, event in self._newest()}
        for number, event in enumerate(earlier, 1):
            kept = self._kinds[event.kind, event.is_audit]
            if event.id not in ours and len(kept) < KEPT:
                kept.appendleft((-number, event))

    async def listed(self, chosen: EventFilter, *, before: str | None = None, most: int = 100) -> list[Event]:
        """The newest first; `before`: those that come after the one of that id in this order.

        What is not kept here any more comes from the database, while that answers.
        """
        kept = self._kept(chosen, before, most)
        if self._registry is None or chosen.is_odd or self._is_all(chosen, kept, most):
            return kept
        until = None if before is None else moment_of(before)
        try:
            found = await self._registry.perform(
                lambda transaction: transaction.events.listed(chosen, most + _AT_ONE_MOMENT, until), _LIST_S
            )
        except RegistryUnavailable:
            return kept
        by_id = {event.id: event for event in (*found, *kept) if before is None or event.id < before}
        return [by_id[id] for id in sorted(by_id, reverse=True)[:most]]

    def _kept(self, chosen: EventFilter, before: str | None, most: int) -> list[Event]:
        if before is None and chosen.model is None:
            return list(islice((event for _, event in self._newest(chosen.kind) if chosen.takes(event)), most))
        events = [event for _, event in self._sorted(chosen)]
        rest = events if before is None else _after(before, events)
        return list(islice(filter(chosen.takes, rest), most))

    def _sorted(self, chosen: EventFilter = EVERYTHING) -> list[Numbered]:
        """The newest first; of a kind and of a model, where those are chosen."""
        kinds = (kept for (kind, _), kept in self._kinds.items() if chosen.kind in (None, kind))
        model = chosen.model
        found = [one for kept in kinds for one in kept if model is None or one[1].model == model]
        return sorted(found, key=itemgetter(0), reverse=True)

    def _is_all(self, chosen: EventFilter, kept: Sequence[Event], most: int) -> bool:
        """Whether nothing older can be missing: of some kinds the oldest are in the database alone."""
        full = [ours for (kind, _), ours in self._kinds.items() if chosen.kind in (None, kind) and len(ours) == KEPT]
        if not full:
            return True
        since = max(ours[0][1].at for ours in full)
        is_within = len(kept) == most and kept[-1].at >= since
        return is_within or (chosen.since is not None and chosen.since >= since)

    def place_of(self, id: str) -> int | None:
        """The number of an event, or of the last before it where it is gone by now; None: all came after it."""
        numbered = self._sorted()
        rest = len(_after(id, [event for _, event in numbered]))
        before = numbered[: len(numbered) - rest]
        if before and before[-1][1].id == id:
            return before[-1][0]
        return numbered[len(before)][0] if rest else None

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
        counts = Counter[str]()
        found = []
        for _, event in self._sorted(EventFilter(model=model)):
            counts[event.kind] += 1
            if counts[event.kind] <= most:
                found.append(event)
        return found

    async def _commit(self, action: Callable[[Transaction], Sequence[Event]]) -> None:
        def act(transaction: Transaction) -> Sequence[Event]:
            events = action(transaction)
            transaction.events.append(events, [self.keys.new() for _ in events])
            return events

        if self._registry is None:
            raise RegistryUnavailable("there is no registry")
        for event in await self._registry.perform(act):
            self._keep(event)

    def _committed(self, task: asyncio.Task[None]) -> None:
        self._commits.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may have gone away

    def _add(self, event: Event) -> None:
        self.last = next(self._numbers)
        self._kinds[event.kind, event.is_audit].append((self.last, event))
        self.news.send()

    def _keep(self, event: Event) -> None:
        self._add(event)
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


def _identity(event: Event) -> tuple[EventKind, datetime, str, str]:
    """As its id would say, which takes long to compute."""
    return event.kind, event.at, event.model, event.version


def _after(id: str, events: list[Event]) -> list[Event]:
    """What follows the event of that id; where it is gone by now, what is older than it was."""
    until = moment_of(id)
    since = until - _ROUNDED  # ids take long to compute, so only those are that may be the one
    for place, event in enumerate(events, 1):
        if since <= event.at <= until and event.id == id:
            return events[place:]
    return [event for event in events if event.at < since or (event.at <= until and event.id < id)]


def _level(kind: EventKind) -> int:
    return logging.ERROR if kind in _ERRORS else logging.WARNING if kind in _WARNINGS else logging.INFO


def _indented(text: str) -> str:
    """So that it can't pass for lines of the log's own, nor steer a terminal: a request may be quoted in it."""
    lines = (_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line) for line in text.rstrip().splitlines())
    return "\n".join(f"    {line}" for line in lines)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
