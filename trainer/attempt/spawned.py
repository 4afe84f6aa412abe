"""A process that is begun and left to itself: it may outlive this one."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Spawned:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._has_ended = False

    def has_ended(self) -> bool:
        """One that has is reaped."""
        if not self._has_ended:
            try:
                self._has_ended = os.waitpid(self.pid, os.WNOHANG)[0] != 0
            except ChildProcessError:
                self._has_ended = True  # somebody else has reaped it
        return self._has_ended

    def kill(self) -> None:
        if not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def spawn(arguments: Sequence[str], environ: Mapping[str, str], output: Path) -> Spawned:
    """In a session of its own, with what it prints appended to a file. Raises OSError."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return Spawned(os.posix_spawn(arguments[0], [*arguments], environ, file_actions=actions, setsid=True))
