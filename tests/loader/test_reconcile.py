from __future__ import annotations

import asyncio
from pathlib import Path

from core.errors import Heals, ReleaseFailed
from loader.controller.decision import TRIES
from loader.releases.live_file import LiveFile
from tests.loader.looks import looking
from tests.loader.pools import numbered, place, release_of, run, until


def test_who_has_it_look_while_it_looks_waits_for_the_next_look(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            async with looking(here, tmp_path, is_held=True) as found:
                await until(lambda: found.source.looks == 1)
                here.write(model="Late")
                asked = asyncio.create_task(found.reconciler.look_now())
                await asyncio.sleep(0)
                found.source.may_end.set()
                await asked
                assert set(found.reconciler.controllers) == {"Model", "Late"}

    run(test())


def test_who_has_it_look_while_it_waits_is_answered_by_the_look_that_follows(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here, looking(here, tmp_path) as found:
            for model in ("One", "Two", "Three"):
                here.write(model=model)
                async with asyncio.timeout(30):
                    await found.reconciler.look_now()
                assert model in found.reconciler.controllers

    run(test())


def test_what_was_live_before_a_restart_is_started_without_the_source_and_tried_for_ever(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            wanted = numbered(here.write(), 3)
            LiveFile(tmp_path / "live.json", "here").put(release_of(wanted), wanted.version)
            async with looking(here, tmp_path, is_held=True) as found:
                found.spoilt["Model"] = ReleaseFailed("no", stage="load", heals=Heals.NEVER)
                for already in range(1, TRIES + 2):
                    await until(lambda already=already: found.tries() == already)
                    found.reconciler.ask()
                found.spoilt.clear()
                found.reconciler.ask()
                await until(lambda: "Model" in found.shown.live)
                assert found.shown.live["Model"].version.number == 3
                assert found.reconciler.ready.is_set()

    run(test())


def test_what_the_machine_lacked_is_tried_when_somebody_asks_and_not_at_each_look(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            async with looking(here, tmp_path) as found:
                found.spoilt["Model"] = ReleaseFailed("no space left", stage="checkout", heals=Heals.WITH_MACHINE)
                for already in range(1, 5):
                    await until(lambda already=already: found.tries() == already)
                    found.reconciler.ask()
                await until(lambda: found.tries() == 5)  # and it waits for minutes
                found.spoilt.clear()
                for _ in range(2):  # after the second, what the first one led to has begun
                    seen = found.source.looks
                    found.reconciler.wake()
                    await until(lambda seen=seen: found.source.looks > seen)
                assert found.reconciler.controllers["Model"].progress.doing is None
                assert found.tries() == 5
                found.reconciler.ask()
                await until(lambda: "Model" in found.shown.live)

    run(test())
