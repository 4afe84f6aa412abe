from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

from core.process.ends import end_of, ends_within


def sleeper(code: str = "import time; time.sleep(600)") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code])


def test_everyone_who_waits_is_told_how_it_ended() -> None:
    async def test() -> None:
        killed, ended = sleeper(), sleeper("raise SystemExit(7)")
        waiting = [asyncio.ensure_future(end_of(killed)) for _ in range(3)]
        await asyncio.sleep(0)
        killed.send_signal(signal.SIGKILL)
        assert await asyncio.gather(*waiting) == [-signal.SIGKILL] * 3
        assert await end_of(killed) == -signal.SIGKILL
        assert await end_of(ended) == 7

    asyncio.run(test())


def test_waiting_is_given_up_without_a_trace() -> None:
    async def test() -> None:
        process = sleeper()
        before = os.listdir("/proc/self/fd")
        assert not await ends_within(process, 0.01)
        assert os.listdir("/proc/self/fd") == before
        process.kill()
        assert await ends_within(process, 60)

    asyncio.run(test())
