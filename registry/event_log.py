"""Events as they happen: to the log at once, kept for the admin API, and written down in the registry."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.events import Event, EventKind, moment_of
from registry.errors import RegistryUnavailable
from registry.event_filter import EventFilter
from registry.event_keys import EventKeys
from registry.event_writer import EventWriter
from registry.kept_events import KEPT, KeptEvents
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl")

_LIST_S = 5.0
"""For the database to list events in."""
_AT_ONE_MOMENT = 50
"""Events that may have happened at the same time as the last of a page."""
_ERRORS = frozenset({EventKind.FAILED, EventKind.CRASH_LOOP, EventKind.SOURCE_LOST})
_WARNINGS = frozenset(
    {
        *(EventKind.LEFT_OUT, EventKind.WORKER_LOST, EventKind.REQUEST_FAILED),
        *(EventKind.GATEWAY_LOST, EventKind.HISTORY_REWRITTEN),
    }
)


class EventLog:
    """For the thread of one event loop."""

    def __init__(self, registry: Registry | None = None) -> None:
        """Without a registry, events are only kept here."""
        self.kept = KeptEvents()
        """The newest ones."""
        self.keys = EventKeys()
        self._registry = registry
        self._writer = None if registry is None else EventWriter(registry, self._hand_over, KEPT, self.keys)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started_at = datetime.now(UTC)
        self._commits: set[asyncio.Task[None]] = set()
        self._last_detail: dict[str, str] = {}
        """Of each model, as logged: a traceback that repeats at every try is logged once."""

    def start(self) -> None:
        """Begin to write events down, those that were recorded so far first, and to remember those of earlier runs."""
        if self._writer is not None:
            self._loop, self._started_at = asyncio.get_running_loop(), datetime.now(UTC)
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

    async def listed(self, chosen: EventFilter, *, before: str | None = None, most: int = 100) -> list[Event]:
        """The newest first; `before`: those that come after the one of that id in this order.

        What is not kept here any more comes from the database, while that answers.
        """
        kept = self.kept.newest(chosen, before=before, most=most)
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

    def _is_all(self, chosen: EventFilter, kept: Sequence[Event], most: int) -> bool:
        """Whether nothing older can be missing: of some kinds the oldest are in the database alone."""
        since = self.kept.oldest_of_all(chosen)
        if since is None:
            return True
        is_within = len(kept) == most and kept[-1].at >= since
        return is_within or (chosen.since is not None and chosen.since >= since)

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

    def _keep(self, event: Event) -> None:
        self.kept.add(event)
        who = f"{event.model}: " if event.model else ""
        log.log(_level(event.kind), "%s%s%s", who, _indented(event.message).lstrip(), self._new_detail(event))

    def _hand_over(self, earlier: list[Event]) -> None:
        """From the writer's thread."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._remember, earlier)

    def _remember(self, earlier: list[Event]) -> None:
        """What other daemons have written since our start is news: the database may have been away for long."""
        news = [event for event in earlier if event.at > self._started_at]
        self.kept.remember([event for event in earlier if event.at <= self._started_at])
        self.kept.take(news[::-1])

    def _new_detail(self, event: Event) -> str:
        if not event.detail or self._last_detail.get(event.model) == event.detail:
            return ""
        self._last_detail[event.model] = event.detail
        return "\n" + _indented(event.detail)


def _level(kind: EventKind) -> int:
    return logging.ERROR if kind in _ERRORS else logging.WARNING if kind in _WARNINGS else logging.INFO


def _indented(text: str) -> str:
    """So that it can't pass for lines of the log's own, nor steer a terminal: a request may be quoted in it."""
    lines = (_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line) for line in text.rstrip().splitlines())
    return "\n".join(f"    {line}" for line in lines)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
