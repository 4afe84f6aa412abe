"""What answers at a model's route: what makes room for it, comes back, and drains."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.events import EventKind
from tests.loader.controller.kept import WAITS, keeping
from tests.loader.pools import PLAIN, numbered, run, until
from worker.wire.client import connect


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


@pytest.mark.parametrize("heals", [Heals.NEVER, Heals.WITH_MACHINE])
def test_what_was_live_before_a_restart_and_did_not_start_comes_back_where_the_head_fails(
    tmp_path: Path, heals: Heals
) -> None:
    async def test() -> None:
        async with keeping(tmp_path, bring_back_s=0.01) as (here, kept):
            second = numbered(here.write(PLAIN + "# 2\n"), 2)
            first = numbered(here.write(), 1)
            assert first.release is not None
            kept.controller.remember([first.release.id])
            kept.spoil(first, ReleaseFailed("no memory", stage="memory", heals=heals))
            kept.spoil(second, ReleaseFailed("no", stage="load"))
            kept.controller.want(first)
            await until(lambda: kept.controller.failure)
            kept.controller.want(second)
            await until(lambda: kept.controller.failure and kept.controller.failure.version.number == 2)
            assert kept.controller.live is None
            kept.spoilt.pop(first.release.id)
            await until(lambda: kept.live() == 1)
            assert kept.controller.failure is not None
            assert kept.controller.failure.version.number == 2
            assert kept.controller.progress.step is None

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
