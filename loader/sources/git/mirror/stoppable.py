"""One process at a time, which another thread can end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from loader.sources.git.mirror.watched_process import close, kill


class Stopped(Exception):
    """Nothing is started any more."""


class StoppableProcess:
    """Starts processes, each while the one before is over, until `stop`."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._lock = Lock()
        """Held only to change the two above: to start a process may take as long as a disk likes."""

    def check(self) -> None:
        """Raise Stopped once stopped."""
        if self._is_stopped:
            raise Stopped

    @contextmanager
    def running(self, start: Callable[[], subprocess.Popen[bytes]]) -> Iterator[subprocess.Popen[bytes]]:
        """The process, of which nothing is left afterwards. Raises Stopped."""
        self.check()
        process = start()
        with self._lock:
            self._running = process
            if self._is_stopped:
                kill(process)
        try:
            yield process
        finally:
            close(process)
            with self._lock:
                self._running = None

    def stop(self) -> None:
        """End the process that runs; none is started any more."""
        with self._lock:
            self._is_stopped = True
            if self._running is not None:
                kill(self._running)
