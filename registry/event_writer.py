"""Writes events down in the background: nobody waits for the database."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.events import Event, EventKind
from registry.sqlite_file import fault_of, set_aside

if TYPE_CHECKING:
    from registry.event_table import EventTable

log = logging.getLogger("pawl.registry")

_WAITING = 2_000
"""Events of each kind, so that those of which there are many push no others out."""
_BATCH = 200
_PAUSE_S = 5.0


class EventWriter:
    """A thread with the journal. What it can't write for long is lost, and it says so."""

    def __init__(
        self,
        url: str,
        remembered: Callable[[list[Event]], None],
        most: int,
        *,
        file: Path | None = None,
        pause_s: float = _PAUSE_S,
    ) -> None:
        """`remembered` is called in the thread, once, with the newest events of earlier runs: `most` of each kind,
        newest first. `file`: where the database is, if it is a file of our own; what can't hold it is set aside there.
        """
        self._url = url
        self._remembered = remembered
        self._most = most
        self._file = file
        self._pause_s = pause_s
        self._has_remembered = False
        self._trouble = ""
        """What keeps it from writing, as it was last said."""
        self._waiting: queue.Queue[Event | None] = queue.Queue()
        self._counts: Counter[EventKind] = Counter()
        """Of what waits, by kind."""
        self._counting = threading.Lock()
        self._is_losing = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, event: Event) -> None:
        """Write it down some time soon."""
        with self._counting:
            if self._counts[event.kind] < _WAITING:
                self._counts[event.kind] += 1
                self._waiting.put(event)
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
        # SQLAlchemy takes a third of a second to import: not the daemon's, which is serving by then
        from registry.event_table import EventTable, RegistryUnavailable

        event_table, batch = None, list[Event]()
        while True:
            is_last_try = self._stopped.is_set()
            try:
                if event_table is None:
                    self._clear_the_way(is_thorough=False)
                    event_table = EventTable(self._url)
                    self._remember(event_table)
                batch = batch or self._next_batch()
                if not batch:
                    break
                event_table.append(batch)
                batch = []
            except RegistryUnavailable as error:
                if event_table is not None:
                    event_table.close()
                event_table = None
                trouble = self._clear_the_way(is_thorough=True)
                if trouble == "":
                    continue
                self._note_trouble(trouble or str(error))
            except Exception:
                log.exception("a failure of Pawl's own while writing events down; they are only in the log")
                batch = []
            else:
                self._note_trouble("")
                continue
            if is_last_try:
                break
            self._stopped.wait(self._pause_s)
        if event_table is not None:
            event_table.close()

    def _remember(self, event_table: EventTable) -> None:
        if not self._has_remembered:
            self._remembered(event_table.newest(self._most))
            self._has_remembered = True

    def _clear_the_way(self, *, is_thorough: bool) -> str | None:
        """Set a file aside that can't hold the registry, and say why not if that fails; None if there is no such."""
        if self._file is None or (fault := fault_of(self._file, is_thorough=is_thorough)) is None:
            return None
        try:
            aside = set_aside(self._file)
        except OSError as error:
            return f"{self._file} can't hold the registry ({fault}) nor be set aside: {error.strerror}"
        log.error("%s can't hold the registry (%s): it is kept as %s, and begun anew", self._file, fault, aside.name)
        return ""

    def _note_trouble(self, trouble: str) -> None:
        """Say it once, and once when it is over."""
        if trouble and trouble != self._trouble:
            log.error("%s; trying again every %g s", trouble, self._pause_s)
        elif self._trouble and not trouble:
            log.info("events are written down again")
        self._trouble = trouble

    def _next_batch(self) -> list[Event]:
        """What waits, at least one event; nothing when there is nothing more to come."""
        batch = [self._waiting.get()]
        while len(batch) < _BATCH and not self._waiting.empty():
            batch.append(self._waiting.get())
        if None in batch:
            self._waiting.put(None)
        events = [event for event in batch if event is not None]
        with self._counting:
            self._counts.subtract(event.kind for event in events)
            self._is_losing = False
        return events
