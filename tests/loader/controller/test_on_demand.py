from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from core.release import Release, Wanted
from loader.controller.on_demand import MOST_POOLS, OnDemand, TooManyVersions
from loader.controller.routes import Live
from loader.workers.pool import Pool
from loader.workers.report import Report
from tests.loader.pools import PLAIN, Place, Shown, numbered, place, release_of, run, until


class Visits:
    """Versions of a model that can be asked for: `vN` for every N that was written."""

    def __init__(self, here: Place, idle_s: float) -> None:
        self.shown = Shown()
        self.starts: list[Release] = []
        self.error: Exception | None = None
        self.wanted: dict[str, Wanted] = {}
        self._here = here
        self.looks: list[str] = []
        self.on_demand = OnDemand(self._resolve, self._start, self.shown, idle_s)

    def _resolve(self, model: str, name: str) -> Wanted:
        self.looks.append(name)
        return self.wanted[name]

    async def _start(self, release: Release, version: str, report: Callable[[Report], None]) -> Pool:
        assert version in self.wanted, "it is counted by what was asked for"
        self.starts.append(release)
        if self.error is not None:
            raise self.error
        return await self._here.start_release(release, replicas=1)

    def write(self, count: int) -> None:
        for number in range(1, count + 1):
            wanted = numbered(self._here.write(PLAIN + f"# {number}\n"), number)
            self._here.release_store.put(release_of(wanted), self._here.source)  # the folder holds but the newest
            self.wanted[f"v{number}"] = wanted

    async def open(self, name: str) -> None:
        await self.on_demand.open("Model", name, lambda: self.shown.live.get("Model"))


@asynccontextmanager
async def visiting(tmp_path: Path, idle_s: float = 1000, versions: int = 2) -> AsyncIterator[tuple[Place, Visits]]:
    async with place(tmp_path) as here:
        visits = Visits(here, idle_s)
        visits.write(versions)
        yield here, visits
        await visits.on_demand.close(1)


def test_callers_of_one_version_share_its_start(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (_, visits):
            await asyncio.gather(*(visits.open("v1") for _ in range(5)))
            assert len(visits.starts) == 1
            assert visits.shown.versions["Model/v1"].pool.sockets

    run(test())


def test_a_release_goes_by_what_it_was_asked_for_while_it_starts_and_while_it_runs(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (_, visits):
            opening = asyncio.create_task(visits.open("v1"))
            await until(lambda: bool(visits.starts))
            assert not visits.on_demand.pools()
            by_id = {visits.starts[0].id: "v1"}
            assert visits.on_demand.labels("Model") == by_id
            await opening
            assert visits.on_demand.labels("Model") == by_id
            assert visits.on_demand.labels("Other") == {}

    run(test())


def test_callers_of_one_version_share_one_look(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (here, visits):
            pool = await here.start_release(release_of(visits.wanted["v2"]))
            visits.shown.live["Model"] = Live(visits.wanted["v2"].version, pool)
            await asyncio.gather(*(visits.open("v2") for _ in range(5)))
            assert visits.looks == ["v2"]

    run(test())


def test_what_a_name_means_by_the_time_that_its_pool_has_started_is_shown(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (_, visits):
            opening = asyncio.create_task(visits.open("v1"))
            await until(lambda: visits.starts)
            visits.wanted["v1"] = visits.wanted["v2"]  # history was rewritten
            await opening
            assert visits.shown.versions["Model/v1"].pool.release == visits.wanted["v2"].release

    run(test())


def test_a_caller_that_leaves_does_not_end_the_start_for_the_others(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (_, visits):
            first, second = (asyncio.create_task(visits.open("v1")) for _ in range(2))
            await until(lambda: visits.starts)
            first.cancel()
            await second
            assert "Model/v1" in visits.shown.versions

    run(test())


@pytest.mark.parametrize("error", [ReleaseFailed("no", stage="load"), OSError("a surprise")])
def test_a_start_that_fails_leaves_nothing_in_the_way_of_the_next(tmp_path: Path, error: Exception) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (_, visits):
            visits.error = error
            with pytest.raises(type(error)):
                await visits.open("v1")
            assert visits.on_demand.pools() == ()
            await visits.on_demand.stop_idle()
            visits.error = None
            await visits.open("v1")
            assert len(visits.on_demand.pools()) == 1

    run(test())


def test_a_start_that_fails_is_logged_by_model_and_version_with_its_traceback_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trace = 'Traceback (most recent call last):\n  File "etls.py", line 1, in <module>\n    1 / 0\n'

    async def test() -> None:
        async with visiting(tmp_path) as (_, visits):
            visits.error = ReleaseFailed("etls.py, line 1: no", stage="load", detail=trace)
            for _ in range(2):
                with pytest.raises(ReleaseFailed):
                    await visits.open("v1")

    run(test())
    said = "Model: v1, asked for by name: could not be loaded: etls.py, line 1: no"
    assert [record.getMessage() for record in caplog.records] == [f"{said}\n{trace.rstrip()}", said]


def test_what_is_live_by_then_is_used(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (here, visits):
            pool = await here.start_release(release_of(visits.wanted["v2"]))
            opening = asyncio.create_task(visits.open("v2"))
            await asyncio.sleep(0)  # it is being looked up in a thread
            visits.shown.live["Model"] = Live(visits.wanted["v2"].version, pool)
            await opening
            assert visits.shown.versions["Model/v2"].pool is pool
            assert not visits.starts

    run(test())


def test_at_most_four_run_and_those_that_nobody_uses_make_room(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path, idle_s=0.2, versions=MOST_POOLS + 1) as (_, visits):
            for number in range(1, MOST_POOLS + 1):
                await visits.open(f"v{number}")
            with pytest.raises(TooManyVersions):
                await visits.open(f"v{MOST_POOLS + 1}")
            async with asyncio.timeout(60):
                while len(visits.on_demand.pools()) > 1:
                    visits.on_demand.touch(["Model/v2"])
                    await visits.on_demand.stop_idle()
            assert set(visits.shown.versions) == {"Model/v2"}
            await visits.open(f"v{MOST_POOLS + 1}")

    run(test())


def test_what_is_being_started_is_no_pool_yet_and_is_not_stopped_for_being_idle(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path, idle_s=-1) as (_, visits):
            opening = asyncio.create_task(visits.open("v1"))
            await until(lambda: visits.starts)
            assert visits.on_demand.pools() == ()
            await visits.on_demand.stop_idle()
            await opening
            assert visits.on_demand.pools() == (visits.shown.versions["Model/v1"].pool,)

    run(test())


def test_closing_ends_also_what_is_being_started(tmp_path: Path) -> None:
    async def test() -> None:
        async with visiting(tmp_path) as (here, visits):
            visits.wanted["v1"] = numbered(here.write("import time\ntime.sleep(1000)\n"), 1)
            opening = asyncio.create_task(visits.open("v1"))
            await until(lambda: any(pool.processes for pool in here.starter.pools()))
            async with asyncio.timeout(60):
                await visits.on_demand.close(1)
                await asyncio.wait([opening])
            assert not here.starter.pools()

    run(test())
