from __future__ import annotations

import asyncio
from pathlib import Path

from core.process.resources import Memory
from loader.workers.memory_guard import MemoryGuard
from tests.loader.pools import place, run, until
from tests.processes import is_alive

TAKES = """
class Takes:
    def __init__(self):
        self.taken = b"x" * (MB * 2**20)
    def transform_predict(self): ...
"""
LOADS_FOR_EVER = "import time\ntaken = b'x' * (300 * 2**20)\ntime.sleep(1000)\n"


def full(percent: int) -> Memory:
    return Memory(limit=100 * 2**20, used=percent * 2**20, limited=True)


def test_the_worker_furthest_over_its_share_is_ended_and_the_others_are_not(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            greedy = await here.start(here.write(TAKES.replace("MB", "200"), model="Greedy"))
            allowed = await here.start(here.write(TAKES.replace("MB", "300"), "serve: {memory_mb: 1000}", "Allowed"))
            pids = [pool.workers[0].pid for pool in (greedy, allowed)]
            await MemoryGuard(here.starter.pools, lambda: full(89)).check()
            await MemoryGuard(here.starter.pools, lambda: Memory(100, 99, limited=False)).check()
            assert all(map(is_alive, pids))
            await MemoryGuard(here.starter.pools, lambda: full(91)).check()
            assert [is_alive(pid) for pid in pids] == [False, True]
            await until(lambda: here.reports)
            assert "91 of the pod's 100 MB" in here.reports[0].message

    run(test())


def test_a_worker_that_is_still_being_started_is_ended_too(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            small = await here.start(here.write(model="Small"))
            start = asyncio.create_task(here.start(here.write(LOADS_FOR_EVER)))
            await until(lambda: any(pool.memory() > 300 * 2**20 for pool in here.starter.pools()))
            await MemoryGuard(here.starter.pools, lambda: full(95)).check()
            (failure,) = await asyncio.gather(start, return_exceptions=True)
            assert "furthest over its share" in str(failure)
            assert small.workers[0].running

    run(test())
