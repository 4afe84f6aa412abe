"""Writes events down in the background: nobody waits for the database."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable

from core.events import Event

log = logging.getLogger("pawl.registry")

_WAITING = 10_000
_BATCH = 200
_PAUSE_S = 5.0


class Scribe:
    """A thread with the journal. What it can't write for long is lost, and it says so."""

    def __init__(
        self, url: str, remembered: Callable[[list[Event]], None], most: int, *, pause_s: float = _PAUSE_S
    ) -> None:
        """`remembered` is called in the thread, once, with the `most` newest events of earlier runs, newest first."""
        self._url = url
        self._remembered = remembered
        self._most = most
        self._pause_s = pause_s
        self._trouble = ""
        """What keeps it from writing, as it was last said."""
        self._waiting: queue.Queue[Event | None] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, event: Event) -> None:
        """Write it down some time soon."""
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            log.error("the registry is behind by %d events; this one is only in the log", _WAITING)

    def close(self, timeout_s: float) -> None:
        """Write down what waits, for at most so long."""
        self._stopped.set()
        if self._thread.is_alive():
            with contextlib.suppress(queue.Full):  # of what the time won't do for
                self._waiting.put_nowait(None)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        # SQLAlchemy takes a third of a second to import: not the daemon's, which is serving by then
        from registry.journal import Journal, RegistryUnavailable

        journal, batch = None, list[Event]()
        while True:
            is_last_try = self._stopped.is_set()
            try:
                if journal is None:
                    journal = Journal(self._url)
                    self._remembered(journal.newest(self._most))
                batch = batch or self._next_batch()
                if not batch:
                    break
                journal.append(batch)
                batch = []
            except RegistryUnavailable as error:
                self._note_trouble(str(error))
            except Exception:
                log.exception("a failure of Pawl's own while writing events down; they are only in the log")
                batch = []
            else:
                self._note_trouble("")
                continue
            if is_last_try:
                break
            self._stopped.wait(self._pause_s)
        if journal is not None:
            journal.close()

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
        return [event for event in batch if event is not None]
