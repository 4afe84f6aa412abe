"""Workers that hang or take too much, where many pools are looked at by one task."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from loader.workers.pool import Pool
from loader.workers.process.worker_process import WorkerProcess
from loader.workers.report import Happening
from loader.workers.watch import watch
from tests.loader.pools import ask, place, run, until
from worker.wire.client import WorkerLost, connect

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


def test_one_that_hangs_is_replaced_while_the_end_of_another_takes_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        go_on, tell = asyncio.Event(), WorkerProcess.traceback

        async def traceback(worker: WorkerProcess) -> str:
            if worker.config.model == "One":
                await go_on.wait()
            return await tell(worker)

        monkeypatch.setattr(WorkerProcess, "traceback", traceback)
        async with place(tmp_path) as here:
            one = await here.start(here.write(HANGS, "serve: {timeout_s: 1}", "One"))
            two = await here.start(here.write(HANGS, "serve: {timeout_s: 1}", "Two"))
            first = {pool: pool.workers[0].pid for pool in (one, two)}
            asked = asyncio.gather(overload(one), overload(two))
            await until(lambda: two.workers and two.workers[0].pid != first[two])
            assert one.workers[0].pid == first[one]
            go_on.set()
            await asked
            await until(lambda: one.workers and one.workers[0].pid != first[one])
        said = [report.message for report in here.reports if report.happening is Happening.LOST]
        assert len(said) == len([each for each in said if "hung for" in each]) == 2

    run(test())


def test_one_that_takes_too_much_memory_is_replaced(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write(GROWS, "serve: {memory_mb: 200}"))
            await overload(pool, b'{"variables":{"mb":400}}')
            await until(lambda: any(report.happening is Happening.REPLACED for report in here.reports))
        [said] = [report.message for report in here.reports if report.happening is Happening.LOST]
        assert "took more memory than serve.memory_mb (200)" in said

    run(test())


def test_a_worker_that_cannot_be_looked_at_keeps_its_neighbours_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        look = Pool._fault

        def fault(pool: Pool, worker: WorkerProcess) -> object:
            if worker is first:
                raise RuntimeError("unforeseen")
            return look(pool, worker)

        async with place(tmp_path) as here:
            pool = await here.start(here.write(HANGS, "serve: {timeout_s: 1, replicas: 2}"))
            first, second = pool.workers
            monkeypatch.setattr(Pool, "_fault", fault)
            connection = await connect(second.socket)
            with pytest.raises(WorkerLost):
                await connection.request(b'{"variables":{"x":1}}', 0)
            await until(lambda: any(report.happening is Happening.REPLACED for report in here.reports))
            assert pool.id in caplog.text
            assert "could not check its worker" in caplog.text

    run(test())


class Looked:
    """A pool that was looked at so often; a broken one can't be."""

    def __init__(self, id: str, is_broken: bool = False) -> None:
        self.id = id
        self.looks = 0
        self._is_broken = is_broken

    def check(self, *, measure: bool) -> None:
        self.looks += 1
        if self._is_broken:
            raise RuntimeError("unforeseen")


def test_a_pool_that_cannot_be_looked_at_keeps_the_others_from_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        broken, sound = Looked("Broken", is_broken=True), Looked("Sound")
        task = asyncio.create_task(watch(lambda: (broken, sound)))
        await until(lambda: broken.looks == sound.looks == 2)
        task.cancel()
        await asyncio.wait([task])
        assert "Broken: could not check its workers" in caplog.text
        assert "unforeseen" in caplog.text

    run(test())


def test_a_pool_is_weighed_and_its_peak_kept(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write())
            await until(lambda: pool.peak_memory > 0)

    run(test())
