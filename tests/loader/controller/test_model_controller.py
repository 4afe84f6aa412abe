from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.events import EventKind
from loader.controller.decision import TRIES, pause_after
from tests.loader.controller.kept import FAILS, keeping
from tests.loader.pools import PLAIN, numbered, run, until
from tests.processes import is_alive


def test_a_start_that_takes_long_is_given_up_for_a_newer_release(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path, superseded_after_s=0.2) as (here, kept):
            kept.controller.want(numbered(here.write("import time\ntime.sleep(1000)\n"), 1))
            await until(lambda: any(pool.processes for pool in here.starter.pools()))
            await until(lambda: here.starter.pools()[0].processes[0].pid)
            stuck = here.starter.pools()[0].processes[0].pid
            kept.controller.want(numbered(here.write(), 2))
            await until(lambda: kept.live() == 2)
            assert not is_alive(stuck)
            assert kept.kinds() == [EventKind.LIVE]

    run(test())


@pytest.mark.parametrize("refused", [True, False])
def test_what_was_live_before_a_restart_is_started_to_its_end_though_a_newer_release_fails(
    tmp_path: Path, refused: bool
) -> None:
    gate = tmp_path / "gate"
    slow = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n{PLAIN}"

    async def test() -> None:
        async with keeping(tmp_path, superseded_after_s=0.01) as (here, kept):
            slow_one = numbered(here.write(slow), 1)
            assert slow_one.release is not None
            kept.controller.remember([slow_one.release.id])
            kept.controller.want(slow_one)
            await until(lambda: here.starter.pools() and here.starter.pools()[0].processes)
            broken = here.write(manifest="serve: {replicas: many}") if refused else here.write("raise ValueError\n")
            kept.controller.want(numbered(broken, 2))
            await asyncio.sleep(0)
            gate.touch()
            await until(lambda: kept.controller.failure and kept.controller.failure.version.number == 2)
            assert kept.live() == 1

    run(test())


def test_what_is_live_goes_by_its_new_version_and_keeps_its_workers(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            wanted = here.write()
            kept.controller.want(numbered(wanted, 1))
            await until(lambda: kept.live() == 1)
            pool = kept.shown.live["Model"].pool
            kept.controller.want(numbered(wanted, 2))
            await until(lambda: kept.live() == 2)
            assert kept.shown.live["Model"].pool is pool
            assert kept.kinds() == [EventKind.LIVE, EventKind.RENAMED]

    run(test())


def test_what_is_reported_of_a_release_before_it_is_live_is_recorded_under_its_version(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            here.write()
            (here.models / "Model" / "examples.json").write_text('[{"variables": {}}]')
            kept.controller.want(numbered(here.write(FAILS), 1))
            await until(lambda: kept.controller.failure)
            assert kept.kinds() == [EventKind.REQUEST_FAILED, EventKind.FAILED]
            assert [event.version for event in kept.events] == ["v1", "v1"]
            assert all("unforeseen" in event.detail for event in kept.events)

    run(test())


def test_a_removed_model_leaves_no_worker_and_its_return_starts_afresh(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            wanted = numbered(here.write(), 1)
            kept.controller.want(wanted)
            await until(lambda: kept.live() == 1)
            assert kept.controller.live is not None
            worker = kept.controller.live.pool.workers[0].pid
            kept.controller.want(None)
            await until(lambda: not is_alive(worker))
            assert kept.live() is None
            assert "Model" not in kept.shown.down
            assert kept.kinds() == [EventKind.LIVE, EventKind.REMOVED]

    run(test())


@pytest.mark.parametrize("refused", [True, False])
def test_a_model_that_goes_while_it_is_started_is_no_failure_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, refused: bool
) -> None:
    async def test() -> None:
        async with keeping(tmp_path, superseded_after_s=0.01) as (here, kept):
            kept.controller.want(numbered(here.write("import time\ntime.sleep(1000)\n"), 1))
            await until(lambda: here.starter.pools() and here.starter.pools()[0].processes)
            await until(lambda: here.starter.pools()[0].processes[0].pid)
            worker = here.starter.pools()[0].processes[0].pid
            kept.controller.want(numbered(here.write(manifest="serve: {replicas: many}"), 2) if refused else None)
            await until(lambda: kept.outcomes)
            assert not is_alive(worker)
            assert kept.kinds() == [EventKind.FAILED if refused else EventKind.REMOVED]
            assert "Pawl's own" not in caplog.text

    run(test())


def test_what_the_machine_lacked_is_tried_at_once_when_somebody_asks_and_what_cannot_heal_is_not(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            wanted = numbered(here.write(), 1)
            kept.spoil(wanted, ReleaseFailed("no space left", stage="checkout", heals=Heals.WITH_MACHINE))
            kept.controller.want(wanted)
            tries = lambda: kept.controller.failure.tries if kept.controller.failure else 0  # noqa: E731
            for already in range(1, 5):  # the next but one would come after minutes
                await until(lambda already=already: tries() == already)
                kept.controller.hasten()
            kept.spoil(wanted, ReleaseFailed("no", stage="load"))
            kept.controller.hasten()
            await until(lambda: kept.controller.failure and kept.controller.failure.error.heals == Heals.NEVER)
            kept.spoilt.clear()
            kept.controller.hasten()
            kept.controller.want(wanted)
            await asyncio.sleep(0)
            assert kept.live() is None

    run(test())


@pytest.mark.parametrize("before_a_restart", [True, False])
def test_what_was_live_once_is_tried_for_ever_whatever_its_failure(tmp_path: Path, before_a_restart: bool) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            wanted = numbered(here.write(), 1)
            if before_a_restart:
                kept.controller.remember([wanted.release.id])
            else:
                kept.controller.want(wanted)
                await until(lambda: kept.live() == 1)
                kept.controller.want(numbered(here.write(PLAIN + "# 2\n"), 2))
                await until(lambda: kept.live() == 2)
            kept.spoil(wanted, ReleaseFailed("no", stage="load", heals=Heals.NEVER))
            kept.controller.want(wanted)
            for already in range(1, TRIES + 2):
                await until(
                    lambda already=already: kept.controller.failure and kept.controller.failure.tries == already
                )
                assert kept.controller.failure is not None
                assert pause_after(kept.controller.failure) is not None
                kept.controller.hasten()
            kept.spoilt.clear()
            kept.controller.hasten()
            await until(lambda: kept.live() == 1)

    run(test())


def test_what_failed_for_good_is_tried_again_when_asked_and_not_before(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            wanted = numbered(here.write(), 1)
            kept.spoil(wanted, ReleaseFailed("no", stage="load"))
            kept.controller.want(wanted)
            await until(lambda: kept.controller.failure)
            assert kept.shown.down["Model"]
            kept.spoilt.clear()
            kept.controller.want(wanted)
            kept.controller.want(wanted)
            await asyncio.sleep(0)
            assert kept.live() is None
            kept.controller.retry()
            await until(lambda: kept.live() == 1)
            assert kept.controller.failure is None
            assert kept.outcomes == [False, True]

    run(test())
