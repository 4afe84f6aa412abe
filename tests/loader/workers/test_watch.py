"""Workers that hang or take too much, where many pools are looked at by one task."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from loader.workers.pool import Pool
from loader.workers.process.heartbeat import Standstill
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


SAYS_NOT_WHERE = """
import signal, threading

class Model:
    def transform_predict(self, variables):
        if variables:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # so that each traceback is waited for
            threading.Event().wait()
        return {}
"""


async def overload(pool: Pool, body: bytes = b'{"variables":{"x":1}}') -> None:
    """A request that is not answered."""
    with contextlib.suppress(WorkerLost):
        await ask(pool, body)


def test_one_that_hangs_is_replaced_while_the_end_of_another_takes_its_time(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            one = await here.start(here.write(SAYS_NOT_WHERE, "serve: {timeout_s: 1, threads: 3}", "One"))
            two = await here.start(here.write(HANGS, "serve: {timeout_s: 1}", "Two"))
            first = {pool: pool.workers[0] for pool in (one, two)}
            asked = asyncio.gather(*(overload(one) for _ in range(3)))
            await until(lambda: len(first[one].status_page.slices()) == 3)
            await overload(two)
            await until(lambda: two.workers and two.workers[0] is not first[two])
            assert one.workers == (first[one],)
            await asked
            await until(lambda: one.workers and one.workers[0] is not first[one])

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
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write(HANGS, "serve: {timeout_s: 1, replicas: 2}"))
            first, second = pool.workers
            first.heartbeat.read = unforeseen  # type: ignore[method-assign]
            connection = await connect(second.socket)
            with pytest.raises(WorkerLost):
                await connection.request(b'{"variables":{"x":1}}', 0)
            await until(lambda: any(report.happening is Happening.REPLACED for report in here.reports))
            assert pool.id in caplog.text
            assert "could not check its worker" in caplog.text

    run(test())


def unforeseen(_: float) -> Standstill:
    raise RuntimeError("unforeseen")


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
