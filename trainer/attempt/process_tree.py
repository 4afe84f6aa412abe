"""All processes that descend from one: what they take, and the end of those that descend from this one.

This process is their subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): one whose parent has ended becomes its child, so
nobody leaves the tree, by forking twice or otherwise.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections import defaultdict
from contextlib import suppress

from core.process.descendants import Descendants, mark_this_process

_PR_SET_CHILD_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE")
_QUIET_LOOKS = 2
_PAUSE_S = 0.02


def adopt() -> Descendants | None:
    """From now on all descendants stay in the tree. Their mark, by which others find them too, where there is one."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return mark_this_process()


def descendants(of: int | None = None) -> list[int]:
    """Pids, the nearest first; of this process by default."""
    children = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit() and (parent := _parent(int(name))):
            children[parent].append(int(name))
    found = list(children[of or os.getpid()])
    for pid in found:
        found.extend(children.pop(pid, ()))
    return found


def memory(limit: int) -> int:
    """Bytes of resident memory that they take. Pages that several share count once, which is looked at where they
    might be over the limit."""
    taken = resident()
    return taken if taken <= limit else sum(map(_proportional, descendants()))


def resident(of: int | None = None) -> int:
    """The same, with pages that several share counted as often."""
    return sum(map(_resident, descendants(of)))


def kill_all(within_s: float, ours: Descendants | None = None) -> bool:
    """Kill until nobody is left, and reap them; whether that was reached in time."""
    end, quiet = time.monotonic() + within_s, 0
    while time.monotonic() < end:
        killed = (ours.kill() if ours else 0) + sum(map(_kill, descendants()))
        _reap()
        quiet = 0 if killed or descendants() else quiet + 1
        if quiet >= _QUIET_LOOKS:
            return True
        time.sleep(_PAUSE_S)
    return False


def kill_lineage(ours: Descendants, within_s: float) -> bool:
    """The same for a tree whose root has been killed."""
    end, quiet = time.monotonic() + within_s, 0
    while quiet < _QUIET_LOOKS and time.monotonic() < end:
        quiet = 0 if ours.kill() else quiet + 1
        time.sleep(_PAUSE_S)
    return quiet >= _QUIET_LOOKS


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)  # a descendant's number is not given away before we have reaped it
        return True
    return False


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except (OSError, ValueError):
        return 0
    return 0 if state == b"Z" and int(parent) != os.getpid() else int(parent)


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:"))
    except (OSError, ValueError, StopIteration):
        return _resident(pid)
