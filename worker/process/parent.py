"""Keeps a model from ending what serves its neighbours."""

from __future__ import annotations

import errno
import os

_EVERYBODY = -1


def spare_parent() -> None:
    """Have `os.kill` refuse to signal our parent: code that ends its parent (a server's way to stop the whole of it)
    means a program of its author's own, and would end all models. It is no wall, for there are other ways."""
    parent, kill = os.getppid(), os.kill

    def kill_but_not_the_parent(pid: int, signal: int, /) -> None:
        if signal and pid in (parent, _EVERYBODY):
            message = "the parent of a model's process is Pawl, which serves the other models too"
            raise PermissionError(errno.EPERM, message)
        kill(pid, signal)

    os.kill = kill_but_not_the_parent
