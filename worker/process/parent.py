"""Keeps a model from signalling the daemon, which serves the other models too."""

from __future__ import annotations

import errno
import os

_EVERYBODY = -1


def protect_parent() -> None:
    """Have `os.kill` refuse to signal our parent. Code that signals its parent (as worker processes of servers do, to
    stop the whole server) means a program of its author's own, but would end all models here. This guards against
    accidents only: there are other ways to send a signal."""
    parent, kill = os.getppid(), os.kill

    def kill_but_not_the_parent(pid: int, signal: int, /) -> None:
        if signal and pid in (parent, _EVERYBODY):
            message = "the parent of a model's process is Pawl, which serves the other models too"
            raise PermissionError(errno.EPERM, message)
        kill(pid, signal)

    os.kill = kill_but_not_the_parent
