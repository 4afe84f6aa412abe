"""What a sync does about a model that failed, and what it tells of it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from core.decisions import Decisions, Rejected
from core.errors import Heals, ReleaseFailed
from core.release import Served
from core.settings.reading import read_settings
from server.http.access import Access
from server.http.api.sync import State, sync
from server.http.api.sync_api import SyncApi
from tests.loader.looks import Looking, looking
from tests.loader.pools import PLAIN, place, run, until

LACKING = ReleaseFailed("no space left", stage="checkout", heals=Heals.WITH_MACHINE)
TOKEN = "the-api-token"


@asynccontextmanager
async def lacking(tmp_path: Path, tries: int = 1) -> AsyncIterator[Looking]:
    """A model that could not be started so often, for want of something that the machine lacks."""
    async with place(tmp_path) as here:
        here.write()
        async with looking(here, tmp_path) as found:
            found.spoilt["Model"] = LACKING
            for already in range(1, tries):
                await until(lambda already=already: found.tries() == already)
                found.reconciler.ask()
            await until(lambda: found.tries() == tries)
            yield found


def test_a_sync_tries_at_once_what_waits_for_the_machine_and_tells_what_becomes_of_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with lacking(tmp_path) as found:
            for tries in (2, 3, 4):
                told, is_over = await sync(found.reconciler, 30)
                assert (told.models["Model"].state, is_over) == (State.FAILED, True)
                assert told.models["Model"].message == "v1 failed at checkout: no space left (nothing is live yet)"
                assert found.tries() == tries
            found.spoilt.clear()
            told, is_over = await sync(found.reconciler, 30)
            assert (told.models["Model"].state, is_over) == (State.LIVE, True)

    run(test())


def test_what_is_being_tried_again_is_pending_and_says_what_is_done(tmp_path: Path) -> None:
    async def test() -> None:
        async with lacking(tmp_path) as found:
            found.may_start.clear()
            found.reconciler.ask()
            assert found.reconciler.controllers["Model"].progress.doing == "about to be tried again"
            told, is_over = await sync(found.reconciler, 1)
            while not told.models:  # it has not looked yet
                told, is_over = await sync(found.reconciler, 1)
            model = told.models["Model"]
            assert (model.state, model.version, model.message, is_over) == (State.PENDING, "v1", "checkout", False)
            found.may_start.set()
            told, is_over = await sync(found.reconciler, 30)
            assert (told.models["Model"].state, is_over) == (State.FAILED, True)

    run(test())


@pytest.mark.parametrize("heals", [Heals.NEVER, Heals.MAYBE])
def test_what_waits_for_its_author_or_its_next_try_has_failed_and_is_tried_no_sooner(
    tmp_path: Path, heals: Heals
) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            async with looking(here, tmp_path) as found:
                found.spoilt["Model"] = ReleaseFailed("no luck", stage="load", heals=heals)
                await until(lambda: found.tries() == 1)
                found.reconciler.ask()
                assert found.reconciler.controllers["Model"].progress.doing is None
                told, is_over = await sync(found.reconciler, 30)
                assert (told.models["Model"].state, is_over) == (State.FAILED, True)

    run(test())


@pytest.mark.parametrize("query", ["", "?wait=30"])
def test_the_webhook_has_what_waits_for_the_machine_tried_at_once(tmp_path: Path, query: str) -> None:
    async def test() -> None:
        async with lacking(tmp_path, tries=5) as found:  # the next try would come after minutes
            found.spoilt.clear()
            api = SyncApi(Access(read_settings({"ADMIN_TOKEN": TOKEN})), found.reconciler)
            transport = httpx.ASGITransport(Starlette(routes=api.routes()))
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                answer = await client.post(f"/-/sync{query}", headers={"authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == (200 if query else 202)
            await until(lambda: "Model" in found.shown.live)

    run(test())


def test_a_sync_does_not_wait_for_a_model_in_training_and_tells_of_what_was_rejected(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            async with looking(here, tmp_path) as found:
                await until(lambda: found.is_live("Model"))
                live = found.shown.live["Model"].pool.release.id
                (here.models / "Model/train.py").write_text("")
                synced, is_all = await sync(found.reconciler, 30)
                assert is_all
                assert (synced.models["Model"].state, synced.models["Model"].version) == (State.TRAINING, "v2")
                assert synced.models["Model"].message == "v2 has no artifact yet (v1 stays live)"
                (here.models / "Model/train.py").unlink()
                found.decisions = Decisions(rejections={"Model": Rejected(frozenset([live]))})
                synced, is_all = await sync(found.reconciler, 30)
                assert is_all
                assert synced.models["Model"].state is State.REJECTED

    run(test())


def test_a_sync_says_that_a_pin_keeps_what_was_pushed_from_going_live(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            here.write(model="Other")
            async with looking(here, tmp_path) as found:
                await until(lambda: found.is_live("Model", "Other"))
                live = found.shown.live["Model"]
                found.decisions = Decisions(pins={"Model": Served(live.pool.release, live.version)})
                for push, says in (
                    (lambda: None, "v1 was live already"),
                    (lambda: here.write(PLAIN + "# another"), "v1 is pinned: v2 does not go live until it is unpinned"),
                    (lambda: shutil.rmtree(here.models / "Model"), "v1 is pinned: its folder has gone"),
                ):
                    push()
                    synced, is_all = await sync(found.reconciler, 30)
                    told = synced.models["Model"]
                    assert (is_all, told.state, told.version, told.message) == (True, State.UNCHANGED, "v1", says)

    run(test())
