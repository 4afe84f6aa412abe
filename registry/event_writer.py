"""Writes events down in the background: nobody waits for the database."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from core.events import Event, EventKind
from registry.errors import RegistryBegunAnew, RegistryUnavailable
from registry.event_keys import EventKeys
from registry.registry import Registry

log = logging.getLogger("pawl.registry")

_WAITING = 2_000
"""Events of each kind, so that those of which there are many push no others out."""
_BATCH = 200


class _Keyed(NamedTuple):
    key: str
    """Makes writing it twice writing it once, where nobody knows whether a commit arrived."""
    event: Event


class EventWriter:
    """The one thread that writes events down. What it can't write for long is lost, and it says so."""

    def __init__(
        self,
        registry: Registry,
        remembered: Callable[[list[Event]], None],
        most: int,
        keys: EventKeys | None = None,
    ) -> None:
        """`remembered` is called in the thread, once, with the newest events of earlier runs: `most` of each kind,
        newest first.
        """
        self._registry = registry
        self._remembered = remembered
        self._most = most
        self._keys = keys or EventKeys()
        self._has_remembered = False
        self._trouble = ""
        """What keeps it from writing, as it was last said."""
        self._waiting: queue.Queue[_Keyed | None] = queue.Queue()
        self._batch: list[_Keyed] = []
        """Taken from what waits, and not written yet."""
        self._counts: Counter[EventKind] = Counter()
        """Of what waits, by kind."""
        self._counting = threading.Lock()
        self._is_losing = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, event: Event) -> None:
        """Write it down some time soon."""
        with self._counting:
            if self._counts[event.kind] < _WAITING:
                self._counts[event.kind] += 1
                self._waiting.put(_Keyed(self._keys.new(), event))
                return
            was_losing, self._is_losing = self._is_losing, True
        if not was_losing:
            log.error("the registry is behind by %d events; until it catches up, others are only in the log", _WAITING)

    def close(self, timeout_s: float) -> None:
        """Write down what waits, for at most so long."""
        self._stopped.set()
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            is_last_try = self._stopped.is_set()
            try:
                self._remember()
                self._batch = self._batch or self._next_batch()
                if not self._batch:
                    return
                self._write_batch()
            except RegistryBegunAnew:
                continue
            except RegistryUnavailable as error:
                self._note_trouble(str(error))
            except Exception:
                log.exception("a failure of Pawl's own while writing events down; they are only in the log")
                self._batch = []
            else:
                self._note_trouble("")
                continue
            if is_last_try:
                return
            self._stopped.wait(self._registry.pause_s)

    def _remember(self) -> None:
        if not self._has_remembered:
            with self._registry.transaction(again=True) as transaction:
                earlier = transaction.events.newest(self._most)
            self._remembered(earlier)
            self._has_remembered = True

    def _write_batch(self) -> None:
        keys, events = [one.key for one in self._batch], [one.event for one in self._batch]
        with self._registry.transaction(again=True) as transaction:
            transaction.events.append(events, keys)
        self._batch = []

    def _note_trouble(self, trouble: str) -> None:
        """Say it once, and once when it is over."""
        if trouble and trouble != self._trouble:
            log.error("%s; trying again every %g s", trouble, self._registry.pause_s)
        elif self._trouble and not trouble:
            log.info("events are written down again")
        self._trouble = trouble

    def _next_batch(self) -> list[_Keyed]:
        """What waits, at least one event; nothing when there is nothing more to come."""
        batch = [self._waiting.get()]
        while len(batch) < _BATCH and not self._waiting.empty():
            batch.append(self._waiting.get())
        if None in batch:
            self._waiting.put(None)
        events = [one for one in batch if one is not None]
        with self._counting:
            self._counts.subtract(one.event.kind for one in events)
            self._is_losing = False
        return events
