"""A process that is watched while it works, and ended when it takes too long."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator


def output(process: subprocess.Popen[bytes], end: float, tick_s: float) -> Iterator[bytes]:
    """What the process writes until it ends or its time does; b"" after a tick of nothing."""
    ready = select.poll()
    open_ones = {pipe.fileno() for pipe in (process.stdout, process.stderr) if pipe is not None}
    for descriptor in open_ones:
        ready.register(descriptor, select.POLLIN)
    while open_ones and (left := end - time.monotonic()) > 0:
        is_over = process.poll() is not None  # asked first: what it wrote before its end is found now
        found = ready.poll(0 if is_over else min(left, tick_s) * 1000)
        if found:
            piece = os.read(found[0][0], 65536)
            if not piece:
                ready.unregister(found[0][0])
                open_ones.remove(found[0][0])
            yield piece
        elif is_over:
            # A connection that ssh keeps for later holds the pipe open after git has gone.
            return
        else:
            yield b""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end - time.monotonic()))


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process, and those that it started in its group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def close(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of the process behind."""
    kill(process)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
