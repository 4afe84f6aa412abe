"""Where a worker's threads are, as faulthandler writes it: it needs no GIL."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

THIS_THREAD, ALL_THREADS = signal.SIGRTMAX, signal.SIGRTMAX - 1
"""What a worker takes as the wish to write where the signalled thread is, or all of them."""
_MOST_FRAMES = 12
_MOST_STACKS = 5


def signal_thread(pid: int, thread: int, number: int) -> None:
    """Send the signal to one thread of a process; to any of them where the C library can't."""
    tgkill = getattr(ctypes.CDLL(None), "tgkill", None)  # only newer ones have it
    if tgkill is not None:
        tgkill(pid, thread, number)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def shortened(dump: str, root: str) -> str:
    """Of a dump a few stacks, of each the last calls; those first in which files under `root` appear."""
    stacks = sorted((stack for stack in dump.split("\n\n") if stack.strip()), key=lambda stack: f'"{root}' not in stack)
    told = "\n\n".join(_shortened(stack.strip()) for stack in stacks[:_MOST_STACKS])
    more = len(stacks) - _MOST_STACKS
    return f"{told}\n\n(and {more} threads more)" if more > 0 else told


def _shortened(stack: str) -> str:
    lines = stack.splitlines()
    more = len(lines) - 1 - _MOST_FRAMES
    return "\n".join([*lines[: _MOST_FRAMES + 1], *([f"  (and {more} calls more)"] if more > 0 else [])])
