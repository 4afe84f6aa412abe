"""Workers that hang or take too much, where many pools are looked at by one task."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from core.task import spawn
from loader.workers.pool import Pool
from loader.workers.report import Happening
from loader.workers.watch import Watch
from tests.loader.pools import ask, place, run, until
from worker.client import WorkerLost

HANGS = """
class Model:
    def transform_predict(self, variables):
        while variables:
            pass
        return {}
"""
GROWS = """
class Model:
    def transform_predict(self, variables):
        self.kept = bytearray(variables["mb"] * 2**20) if variables else b""
        return {}
"""


async def overload(pool: Pool, body: bytes = b'{"variables":{"x":1}}') -> None:
    """A request that is not answered."""
    with contextlib.suppress(WorkerLost):
        await ask(pool, body)


def test_two_that_hang_and_one_that_grows_are_ended_side_by_side_and_replaced(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            pools = {
                "One": await here.start(here.write(HANGS, "serve: {timeout_s: 1}", "One")),
                "Two": await here.start(here.write(HANGS, "serve: {timeout_s: 1}", "Two")),
                "Big": await here.start(here.write(GROWS, "serve: {memory_mb: 200}", "Big")),
            }
            first = {name: pool.workers[0].pid for name, pool in pools.items()}
            watch = spawn(Watch(here.starter.pools).run(), "watch")
            asked = overload(pools["One"]), overload(pools["Two"]), overload(pools["Big"], b'{"variables":{"mb":400}}')
            await asyncio.gather(*asked)
            await until(lambda: all(pool.workers for pool in pools.values()))
            assert all(pool.workers[0].pid != first[name] for name, pool in pools.items())
            said = [report.message for report in here.reports if report.happening is Happening.LOST]
            assert len([each for each in said if "hung for" in each]) == 2
            assert len([each for each in said if "took more memory than serve.memory_mb (200)" in each]) == 1
            watch.cancel()

    run(test())


def test_one_pool_that_cannot_be_looked_at_does_not_keep_the_others_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        id = "Broken-1"

        def look(self) -> None:
            raise RuntimeError("unforeseen")

    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write(HANGS, "serve: {timeout_s: 1}"))
            watch = spawn(Watch(lambda: [Broken(), pool]).run(), "watch")  # type: ignore[list-item]
            await overload(pool)
            await until(lambda: any(report.happening is Happening.REPLACED for report in here.reports))
            watch.cancel()
        assert "Broken-1: could not look at its workers" in caplog.text

    run(test())


def test_a_pool_is_weighed_and_its_peak_kept(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write())
            watch = spawn(Watch(here.starter.pools).run(), "watch")
            await until(lambda: pool.peak_memory > 0)
            watch.cancel()
            await asyncio.wait([watch])

    run(test())
