from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.events import Event, EventKind
from core.release import Release, Wanted
from loader.controller.decision import TRIES, pause_after
from loader.controller.model_controller import ModelController
from loader.workers.pool import Pool
from tests.loader.pools import PLAIN, Place, Shown, numbered, place, run, until
from tests.risky import is_alive
from worker.wire.client import connect

WAITS = """
import os, pathlib, time

class Waits:
    def transform_predict(self):
        gate = pathlib.Path({gate!r})
        gate.with_suffix(".begun").touch()
        while not gate.exists():
            time.sleep(0.01)
        return {{"answered": "whole"}}
"""

FAILS = """
class Fails:
    def transform_predict(self, variables):
        raise RuntimeError("unforeseen")
"""


class Kept:
    """A controller of the model, what it shows, and what it records."""

    def __init__(self, here: Place, superseded_after_s: float, bring_back_s: float) -> None:
        self.shown = Shown()
        self.events: list[Event] = []
        self.outcomes: list[bool] = []
        self.spoilt: dict[str, Exception] = {}
        """Releases that don't start, and why."""
        self._here = here
        self.controller = ModelController(
            "Model",
            self._start,
            self.shown,
            self.events.append,
            lambda: self.outcomes.append(self.controller.live is not None),
            superseded_after_s,
            bring_back_s,
        )
        self.task = asyncio.create_task(self.controller.run())

    async def _start(self, release: Release, **more: object) -> Pool:
        if release.id in self.spoilt:
            await more["make_room"]()  # type: ignore[operator]
            raise self.spoilt[release.id]
        return await self._here.start_release(release, **more)

    def live(self) -> int | None:
        live = self.shown.live.get("Model")
        return None if live is None else live.version.number

    def live_release(self) -> Release | None:
        return self.controller.live and self.controller.live.pool.release

    def spoil(self, wanted: Wanted, error: Exception) -> None:
        assert wanted.release is not None
        self.spoilt[wanted.release.id] = error

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


@asynccontextmanager
async def keeping(
    tmp_path: Path, superseded_after_s: float = 10.0, bring_back_s: float = 10.0
) -> AsyncIterator[tuple[Place, Kept]]:
    async with place(tmp_path) as here:
        kept = Kept(here, superseded_after_s, bring_back_s)
        yield here, kept
        kept.task.cancel()
        await asyncio.wait([kept.task])
        await kept.controller.close(1)


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


def test_a_release_that_replaces_and_fails_whatever_the_reason_brings_the_one_before_back(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            replaces = "serve: {swap: replace}"
            kept.controller.want(numbered(here.write(manifest=replaces), 1))
            await until(lambda: kept.live() == 1)
            for number, error in ((2, ReleaseFailed("no", stage="load")), (3, OSError("a surprise"))):
                wanted = numbered(here.write(PLAIN + f"# {number}\n", replaces), number)
                kept.spoil(wanted, error)
                kept.controller.want(wanted)
                await until(
                    lambda number=number: kept.controller.failure and kept.controller.failure.version.number == number
                )
                assert kept.live() == 1
                assert kept.controller.live is not None
                assert kept.controller.live.pool.sockets
            assert kept.controller.failure is not None
            assert "a surprise" in str(kept.controller.failure.error)

    run(test())


def test_what_made_room_and_could_not_be_brought_back_is_tried_again_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def tries() -> int:
        return sum("could not be brought back: no memory" in message for message in caplog.messages)

    async def test() -> None:
        async with keeping(tmp_path, bring_back_s=0.01) as (here, kept):
            replaces = "serve: {swap: replace}"
            first = numbered(here.write(manifest=replaces), 1)
            kept.controller.want(first)
            await until(lambda: kept.live() == 1)
            second = numbered(here.write(PLAIN + "# 2\n", replaces), 2)
            kept.spoil(first, ReleaseFailed("no memory", stage="memory"))
            kept.spoil(second, ReleaseFailed("no", stage="load"))
            kept.controller.want(second)
            await until(lambda: tries() >= 3)
            assert kept.controller.live is None
            kept.spoilt.clear()
            await until(lambda: kept.live() == 1)
            assert kept.controller.failure is not None
            assert kept.controller.failure.version.number == 2

    run(test())


def test_what_made_room_answers_what_it_has_and_ends_though_a_newer_release_overtakes_the_next(tmp_path: Path) -> None:
    replaces, gate = "serve: {swap: replace}", tmp_path / "gate"

    async def test() -> None:
        async with keeping(tmp_path, superseded_after_s=0.01) as (here, kept):
            kept.controller.want(numbered(here.write(WAITS.format(gate=str(gate)), replaces), 1))
            await until(lambda: kept.live() == 1)
            assert kept.controller.live is not None
            connection = await connect(kept.controller.live.pool.sockets[0])
            asked = asyncio.create_task(connection.request(b"{}", 0))
            await until(gate.with_suffix(".begun").exists)
            kept.controller.want(numbered(here.write(PLAIN + "# 2\n", replaces), 2))
            await until(lambda: "Model" in kept.shown.down)
            kept.controller.want(numbered(here.write(PLAIN + "# 3\n", replaces), 3))
            await until(lambda: kept.live() == 3)
            gate.touch()
            assert (await asked).body == b'{"answered":"whole"}'
            connection.close()
            await until(lambda: [pool.release for pool in here.starter.pools()] == [kept.live_release()])

    run(test())


def test_tries_of_a_release_that_replaces_are_counted_through_the_return_of_the_one_before(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            kept.controller.want(numbered(here.write(), 1))
            await until(lambda: kept.live() == 1)
            wanted = numbered(here.write(PLAIN + "# 2\n", "serve: {swap: replace}"), 2)
            kept.spoil(wanted, ReleaseFailed("no", stage="load", heals=Heals.MAYBE))
            kept.controller.want(wanted)
            await until(lambda: kept.controller.failure and kept.controller.failure.tries == 2)
            assert kept.live() == 1
            told = [event.message for event in kept.events if event.kind is EventKind.FAILED]
            assert told == [
                "v2 failed at load: no (v1 stays live; next try in 2 s)",
                "v2 failed again (try 2) at load: no (v1 stays live; next try in 10 s)",
            ]

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


def test_a_drain_that_fails_is_logged_though_who_waited_for_it_has_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):
            kept.controller.want(numbered(here.write(), 1))
            await until(lambda: kept.live() == 1)
            assert kept.controller.live is not None
            pool = kept.controller.live.pool
            with undeletable(Path(pool.sockets[0])):
                kept.controller.want(None)
                while EventKind.REMOVED not in kept.kinds():  # noqa: ASYNC110 (the drain must not end first)
                    await asyncio.sleep(0)
                kept.task.cancel()
                await until(lambda: caplog.records)
        [record] = caplog.records
        assert record.getMessage() == f"a failure of Pawl's own: 'drain of {pool.id}' has ended"
        assert "Is a directory" in caplog.text

    run(test())


@contextmanager
def undeletable(file: Path) -> Iterator[None]:
    """For who expects a file: a folder is in its place."""
    file.unlink()
    file.mkdir()
    try:
        yield
    finally:
        file.rmdir()


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


def test_a_release_whose_route_is_refused_fails_and_leaves_no_worker(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping(tmp_path) as (here, kept):

            async def refuse(model: str, live: object) -> None:
                raise ReleaseFailed("no gateway could read its route", stage="load")

            kept.shown.show = refuse  # type: ignore[method-assign]
            kept.controller.want(numbered(here.write(), 1))
            await until(lambda: kept.controller.failure)
            await until(lambda: not here.starter.pools())
            assert kept.controller.live is None

    run(test())
