"""Ends what a daemon leaves when it dies without a word: git, uv, and whatever the authors' code has started.

Workers and gateways die with the daemon by themselves (PR_SET_PDEATHSIG). The others inherit a mark in their
environment, by which a process of the reaper's own, forked before all others, finds them once the daemon has gone.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import time
import uuid
from collections.abc import Iterator

MARK = "PAWL_DAEMON"
_TICK_S = 0.05
_QUIET_TICKS = 3
_LONGEST_S = 10.0


def start_reaper() -> None:
    """Call before there are threads, and before anything is opened that must not outlive this process."""
    mark = uuid.uuid4().hex
    reader, writer = os.pipe()  # the writing end is ours alone: it closes when we end, however we do
    if os.fork() == 0:
        os.close(writer)
        _wait_and_reap(reader, f"{MARK}={mark}".encode())
        os._exit(0)
    os.close(reader)
    os.environ[MARK] = mark


def _wait_and_reap(reader: int, mark: bytes) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # so that it goes on sharing its parent's memory
    with open(os.devnull, "r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    while os.read(reader, 1):
        pass
    reap(mark)


def reap(mark: bytes) -> None:
    """Kill every process that has `mark` (`NAME=value`) in its environment, until no more turn up."""
    end, quiet = time.monotonic() + _LONGEST_S, 0
    while quiet < _QUIET_TICKS and time.monotonic() < end:
        killed = sum(_kill(pid, mark) for pid in _pids())
        quiet = 0 if killed else quiet + 1
        time.sleep(_TICK_S)


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _kill(pid: int, mark: bytes) -> bool:
    """Whether it was there, and marked."""
    with contextlib.suppress(OSError):
        process = os.pidfd_open(pid)  # so that what is looked at is what is killed
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark not in file.read().split(b"\0"):
                    return False
            signal.pidfd_send_signal(process, signal.SIGKILL)
            return True
        finally:
            os.close(process)
    return False
