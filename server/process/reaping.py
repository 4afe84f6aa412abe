"""`python -m server.process.reaping PIPE MARK [DESCENDANTS MASK]`: the reaper's process.

It imports hardly anything, to take little memory.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time

from core.process import descendants
from core.process.descendants import Descendants

MARK = "PAWL_DAEMON"
_TICK_S = 0.05
_QUIET_TICKS = 3
_LONGEST_S = 10.0


def main() -> None:
    """Wait until the pipe's other end closes, then reap."""
    reader, mark, *ours = sys.argv[1:]
    descendants.unmark_this_process()
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    while os.read(int(reader), 1):
        pass
    reap(f"{MARK}={mark}".encode(), Descendants(*map(int, ours)) if ours else None)


def reap(mark: bytes, ours: Descendants | None = None) -> None:
    """Kill every process that has `mark` (`NAME=value`) in its environment or is a descendant of ours, until none is
    found several times in a row."""
    end, quiet = time.monotonic() + _LONGEST_S, 0
    while quiet < _QUIET_TICKS and time.monotonic() < end:
        killed = (ours.kill() if ours else 0) + sum(_kill(pid, mark) for pid in descendants.pids())
        quiet = 0 if killed else quiet + 1
        time.sleep(_TICK_S)


def _kill(pid: int, mark: bytes) -> bool:
    """Whether the process was there, had the mark, and was killed."""
    with contextlib.suppress(OSError), descendants.opened(pid) as process:  # so that it is the same that is killed
        with open(f"/proc/{pid}/environ", "rb") as file:
            if mark not in file.read().split(b"\0"):
                return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
        return True
    return False


if __name__ == "__main__":
    main()
