"""Finds the processes that descend from one of ours, also those that left its group, session, parent and environment.

What a process can't leave behind by accident are its resource limits, which every fork and exec inherits. So a limit
serves as a mark: `RLIMIT_RTTIME` bounds the processor time of real-time scheduling, in microseconds. No process here is
scheduled so, and a bound of tens of thousands of years would not matter to one that is, so the number can be an id.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
from collections.abc import Iterable, Iterator

_RTTIME = 15
"""RLIMIT_RTTIME, which `resource` has no name for (setrlimit(2))."""
_SIGN = 1 << 61
_SERIAL = (1 << 32) - 1
"""Bits that tell one process's descendants from those of its siblings; the bits above are of the common ancestor."""
_ANCESTOR = ((1 << 61) - 1) & ~_SERIAL
_NEW = 16
"""How many of the ids that were given out last are tried again."""
_MORE_LOOKS = 3


class Descendants:
    """The processes whose marks agree with `mark` in the bits of `mask`."""

    def __init__(self, mark: int, mask: int) -> None:  # no dataclass: the reaper's process would take 1.5 MB more
        self.mark = mark
        self.mask = mask

    def kill(self) -> int:
        """Send SIGKILL to all that live, but for this process; how many there were. What they fork meanwhile is for
        another call to find."""
        return sum(self._kill(pid) for pid in pids() if pid != os.getpid())

    def holds(self, pid: int) -> bool:
        return _mark_of(pid) & self.mask == self.mark

    def _kill(self, pid: int) -> bool:
        if not self.holds(pid):
            return False
        with contextlib.suppress(OSError), opened(pid) as process:
            if self.holds(pid) and not _has_ended(process):  # looked at again, now that the number can be nobody else's
                signal.pidfd_send_signal(process, signal.SIGKILL)
                return True
        return False


def mark_this_process() -> Descendants | None:
    """Mark this process, so that all processes that it starts from now on inherit the mark. None where its limits can't
    be set."""
    mark = _SIGN | int.from_bytes(os.urandom(8)) & _ANCESTOR
    return Descendants(mark, ~_SERIAL) if _set_mark(0, mark) else None


def mark_child(pid: int) -> Descendants | None:
    """Mark a child of this process with a mark of its own, which also says that it is a descendant of ours. None where
    this process has no mark."""
    ours = _mark_of(0)
    mark = ours & ~_SERIAL | pid
    return Descendants(mark, ~0) if ours & _SIGN and _set_mark(pid, mark) else None


def unmark_this_process() -> None:
    """Remove the mark from this process, so that what it starts from now on has none."""
    _set_mark(0, resource.RLIM_INFINITY)


def _set_mark(pid: int, mark: int) -> bool:
    try:
        _, most = resource.prlimit(pid, _RTTIME)
        resource.prlimit(pid, _RTTIME, (mark, most))
    except (OSError, ValueError):  # gone, or somebody has set a lower limit
        return False
    return True


def _mark_of(pid: int) -> int:
    """0 of a process that has none, or is not ours to ask."""
    try:
        mark, _ = resource.prlimit(pid, _RTTIME)
    except OSError:
        return 0
    return max(0, mark)


def pids() -> Iterator[int]:
    """Ids of processes that may live, some of them more than once.

    The hard case is a chain of processes that start each other and exit: only the newest lives, and by the time that a
    list of all has been read, its id is not on the list. So the ids that were given out last are tried again and again.
    """
    yield from _newest()
    yield from (int(name) for name in os.listdir("/proc") if name.isdigit())
    for _ in range(_MORE_LOOKS):
        yield from _newest()


def _newest() -> Iterable[int]:
    with open("/proc/loadavg") as file:
        last = int(file.read().split()[-1])
    return range(last, max(1, last - _NEW), -1)


@contextlib.contextmanager
def opened(pid: int) -> Iterator[int]:
    process = os.pidfd_open(pid)
    try:
        yield process
    finally:
        os.close(process)


def _has_ended(process: int) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(0))
