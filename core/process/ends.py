"""Waits for the ends of child processes, without a thread for each.

Ours are started by `subprocess.Popen`. asyncio's own, where uvloop is its loop, are forked: each start copies the page
tables of the daemon, which is most of what a start costs, and hands down every inheritable descriptor, whatever
`close_fds` says.
"""

from __future__ import annotations

import asyncio
import os
import subprocess

_LOOK_S = 0.1


async def end_of(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end; its exit code, negative where a signal ended it. Several may wait."""
    while process.poll() is None:
        try:
            handle = os.pidfd_open(process.pid)
        except OSError:  # no descriptor is left
            await asyncio.sleep(_LOOK_S)
        else:
            await _readable(handle)
    return process.wait()


async def ends_within(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Wait for its end; whether it came in time."""
    try:
        await asyncio.wait_for(end_of(process), within_s)
    except TimeoutError:
        return False
    return True


async def _readable(handle: int) -> None:
    """Closes it."""
    readable, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        loop.add_reader(handle, readable.set)
        await readable.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
