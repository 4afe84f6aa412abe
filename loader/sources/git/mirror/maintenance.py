"""Keeps the mirror's objects in few packs, beside the fetches that bring them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import SourceError
from loader.sources.git.mirror.backoff import Backoff
from loader.sources.git.mirror.git import start
from loader.sources.git.mirror.git_environment import quiet_environment
from loader.sources.git.mirror.layout import sweep
from loader.sources.git.mirror.stoppable import StoppableProcess, Stopped
from loader.sources.git.mirror.watched_process import output

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Load:
    """What has come since the last time."""

    packs: int
    loose: int
    """Objects with a file of their own, as far as a sample of them tells."""
    wastes: bool
    """There was no room for a fetch, which the objects that nothing leads to any more may take up."""


def due(load: Load) -> Sequence[str] | None:
    """The command that brings that in order. It costs about what has come, and not what is there: packs are joined
    once they are together as large as the next larger one. None: nothing to do.
    """
    if load.wastes:
        return [*_CHEAPLY, "gc", "--quiet", "--prune=now"]
    if load.packs >= _MOST_PACKS or load.loose >= _MOST_LOOSE:
        return [*_CHEAPLY, "repack", "-d", "-l", "-n", "-q", "--geometric=2"]
    return None


class Maintenance:
    """Works between fetches, in a thread of its own: whoever has seen a push needs not wait for it."""

    def __init__(self, path: Path, budget_s: float = 300.0) -> None:
        """`budget_s`: for one piece of work; the next fetch may have to wait as long."""
        self._path = path
        self._budget_s = budget_s
        self._alone = threading.Lock()
        """Held by whoever writes to the mirror."""
        self._work = StoppableProcess()
        self._pause = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        self._thread: threading.Thread | None = None
        self._wastes = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Once what is under way has ended, nothing begins meanwhile."""
        with self._alone:
            yield

    def save_room(self) -> None:
        """A fetch found no room: remove what nothing leads to."""
        self._wastes = True

    def begin(self) -> None:
        """See to what is due, if anything is."""
        if self._pause.is_over and (self._thread is None or not self._thread.is_alive()):
            command = due(self._load())
            if command is not None:
                self._thread = threading.Thread(target=self._run, args=(command,), name="tidying", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End what is under way; nothing begins any more."""
        self._work.stop()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _load(self) -> Load:
        packs = sum(1 for _ in self._path.glob("objects/pack/*.pack"))
        sample = sum(1 for _ in self._path.glob("objects/17/*"))
        return Load(packs, sample * 256, self._wastes)

    def _run(self, command: Sequence[str]) -> None:
        self._wastes = False
        with self._alone:
            try:
                said = self._do(command)
            except (Stopped, SourceError):
                return
            if said is None:
                self._pause.succeeded()
            else:
                self._pause.failed()
                log.warning("the packs of %s could not be joined, which is tried again later: %s", self._path, said)

    def _do(self, command: Sequence[str]) -> str | None:
        """What went wrong."""
        said = bytearray()
        with self._work.running(lambda: start(self._path, command, quiet_environment(), ())) as process:
            for piece in output(process, time.monotonic() + self._budget_s, _TICK_S):
                said[:] = (said + piece)[-_MOST_SAID:]
            took_too_long = process.poll() is None
        if process.returncode == 0:
            return None
        sweep(self._path)
        self._work.check()
        return f"it took more than {self._budget_s:g} s" if took_too_long else said.decode("utf-8", "replace").strip()


_CHEAPLY = ("-c", "core.bigFileThreshold=4m", "-c", "pack.windowMemory=64m", "-c", "pack.threads=1")
"""To look for likenesses between large files takes hours and memory, and finds none."""
_MOST_PACKS = 50
_MOST_LOOSE = 2000
_FIRST_PAUSE_S = 3600.0
_LONGEST_PAUSE_S = 7 * 86400.0
_END_S = 5.0
_TICK_S = 0.25
_MOST_SAID = 1000
