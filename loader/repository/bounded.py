"""A process that is watched while it works, and what is left of it when it has to be killed."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def output(process: subprocess.Popen[bytes], end: float, tick_s: float) -> Iterator[bytes]:
    """What the process writes to its standard error until it ends or its time does; b"" after a tick of nothing."""
    assert process.stderr is not None
    descriptor = process.stderr.fileno()
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while (left := end - time.monotonic()) > 0:
        if ready.poll(min(left, tick_s) * 1000):
            piece = os.read(descriptor, 65536)
            if not piece:
                break
            yield piece
        elif process.poll() is None:
            yield b""
        else:
            # A connection that ssh keeps for later holds the pipe open after git has gone.
            return
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
    if process.stderr is not None:
        process.stderr.close()


def sweep(path: Path) -> None:
    """Remove what a killed git leaves: locks, and packs that never came to their end. No git runs here now."""
    left_over = ("*.lock", "refs/**/*.lock", "objects/**/*.lock", "objects/**/tmp_*", "gc.pid")
    for pattern in left_over:
        for file in path.glob(pattern):
            with contextlib.suppress(OSError):
                remove(file) if file.is_dir() else file.unlink()


def bytes_in(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total


def remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
