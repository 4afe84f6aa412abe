"""The parent of a model's process, which is Pawl: how a process ends with it, and does not end it."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import socket

_PR_SET_PDEATHSIG = 1
_EVERYBODY = -1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def exit_if_abandoned(sock: socket.socket) -> None:
    """The parent, which has the other end of `sock`, may have died before `die_with_parent`."""
    poll = select.poll()
    poll.register(sock, 0)
    if poll.poll(0):  # hung up
        os._exit(0)


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
