"""The admin API of runs over a trainer whose runs are real processes, through a real HTTP server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.settings.reading import read_settings
from loader.artifacts.records import RunRecords
from server.app import EXCEPTION_HANDLERS
from server.http.access import Access
from server.http.api.runs_api import RunsApi
from server.http.server import AdminServer
from tests.trainer.pushes import Pushes
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.control import TrainerControl

TOKEN = "the-token"
PATIENCE_S = 100.0

FITS = """
def train(output, report, depth=1):
    print("depth", depth)
    report(1, 1, loss=0.5)
    with open(output + "model.txt", "w") as file:
        file.write(str(depth))
    return {"accuracy": depth / 10}
"""
WAITS = """
import os, time
def train(output, checkpoint):
    print("begun", flush=True)
    while not os.path.exists(checkpoint + "go"):
        time.sleep(0.02)
    print("ended", flush=True)
    open(output + "m", "w").close()
    return 1
"""


@pytest.fixture
def pushes(tmp_path: Path) -> Pushes:
    return Pushes(tmp_path)


@asynccontextmanager
async def asking(pushes: Pushes) -> AsyncIterator[httpx.AsyncClient]:
    async with pushes.following() as training:
        control = TrainerControl(training.trainer, training.operations)
        runs = RunCatalogue(RunRecords(pushes.files), pushes.store, training.home, control)
        api = RunsApi(Access(read_settings({"ADMIN_TOKEN": TOKEN})), runs, lambda model: model in pushes.heads)
        server = AdminServer(
            Starlette(routes=api.routes(), exception_handlers=EXCEPTION_HANDLERS), str(pushes.data / "daemon.sock")
        )
        keeping_up = asyncio.create_task(runs.run())
        await server.start()
        await come(lambda: _is_there(pushes.data / "daemon.sock"))
        try:
            async with httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=str(pushes.data / "daemon.sock")),
                base_url="http://here/-/api",
                headers={"authorization": f"Bearer {TOKEN}"},
                timeout=PATIENCE_S,
            ) as client:
                yield client
        finally:
            await server.stop()
            keeping_up.cancel()


async def _is_there(path: Path) -> bool:
    return path.exists()


async def come(look: Callable[[], Coroutine[None, None, Any]]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("waited in vain")


async def in_state(client: httpx.AsyncClient, state: str, count: int = 1) -> list[Any]:
    """The runs of that state, once there are so many."""

    async def look() -> list[Any]:
        items = (await client.get("/runs", params={"state": state})).json()["items"]
        return items if len(items) == count else []

    return list(await come(look))


def test_a_push_is_seen_from_its_queue_to_its_artifact(pushes: Pushes) -> None:
    async def test() -> None:
        pushes.push(train=FITS, yaml="train: {params: {depth: 6}}")
        async with asking(pushes) as client:
            [run] = await in_state(client, "succeeded")
            assert (run["model"], run["scores"], run["attempts"]) == ("Iris", {"accuracy": 0.6}, 1)
            whole = (await client.get(f"/runs/{run['run']}")).json()
            assert [point["scores"] for point in whole["curve"]] == [{"loss": 0.5}]
            assert whole["params"] == {"depth": 6}
            assert (await client.get(f"/runs/{run['run']}/log")).text == "depth 6\n"
            assert (await client.get(f"/runs/{run['run']}/artifact")).content[:2] == b"PK"

    asyncio.run(test())


def test_a_rejected_run_says_why_and_is_accepted(pushes: Pushes) -> None:
    async def test() -> None:
        pushes.push(train=FITS, yaml="train: {target: {min: 0.5}}")
        async with asking(pushes) as client:
            [run] = await in_state(client, "rejected")
            assert (run["reason"], "below" in run["message"]) == ("BelowTarget", True)
            taken = await client.post(f"/runs/{run['run']}/accept", json={"reason": "good enough for now"})
            assert (taken.json()["state"], taken.json()["accepted"]) == ("succeeded", True)
            assert "good enough for now" in taken.json()["message"]

    asyncio.run(test())


def test_a_log_is_followed_to_the_end_of_the_run(pushes: Pushes) -> None:
    async def test() -> None:
        pushes.push(train=WAITS)
        async with asking(pushes) as client:
            [run] = await in_state(client, "running")
            async with client.stream("GET", f"/runs/{run['run']}/log?follow=1") as answer:
                lines = answer.aiter_lines()
                assert await anext(lines) == "begun"
                (pushes.data / "runs" / run["run"] / "checkpoint" / "go").touch()
                assert [line async for line in lines] == ["ended"]

    asyncio.run(test())


def test_a_run_is_asked_for_cancelled_and_tried_again(pushes: Pushes) -> None:
    async def test() -> None:
        pushes.push(train=WAITS + "\n")
        async with asking(pushes) as client:
            [run] = await in_state(client, "running")
            again = await client.post("/models/Iris/runs", json={})
            assert (again.status_code, again.json()["run"]) == (200, run["run"])
            cancelled = await client.post(f"/runs/{run['run']}/cancel", json={"reason": "wrong data"})
            assert cancelled.json()["state"] == "cancelled"
            assert "wrong data" in cancelled.json()["message"]
            assert (await client.post(f"/runs/{run['run']}/cancel")).json()["error"]["code"] == "run_state"
            retried = await client.post(f"/runs/{run['run']}/retry")  # it waits for the process to end
            assert retried.json()["state"] in ("queued", "pending", "running"), retried.text
            checkpoint = pushes.data / "runs" / run["run"] / "checkpoint"
            await in_state(client, "running")
            (checkpoint / "go").touch()
            await in_state(client, "succeeded")

    asyncio.run(test())


RAISES_ONCE = """
import os
def train(output, checkpoint):
    if not os.path.exists(checkpoint + "half"):
        open(checkpoint + "half", "w").close()
        raise ValueError("the rest is not there yet")
    open(output + "m", "w").close()
    return 1
"""


def test_another_try_of_a_run_that_failed_goes_on_from_its_checkpoint(pushes: Pushes) -> None:
    async def test() -> None:
        pushes.push(train=RAISES_ONCE)
        async with asking(pushes) as client:
            [run] = await in_state(client, "failed")
            assert (await client.post(f"/runs/{run['run']}/retry")).status_code == 200
            [again] = await in_state(client, "succeeded")
            assert (again["run"], again["attempts"]) == (run["run"], 2)
            await come(lambda: nothing_open(pushes))
            assert not list(pushes.data.glob("runs/**/half")), "nobody needs it any more"

    asyncio.run(test())


async def nothing_open(pushes: Pushes) -> bool:
    assert pushes.training is not None
    return not pushes.training.trainer.open


def test_a_run_of_ones_own_parameters_is_another_run(pushes: Pushes) -> None:
    async def test() -> None:
        pushes.push(train=FITS)
        async with asking(pushes) as client:
            await in_state(client, "succeeded")
            asked = await client.post("/models/Iris/runs", json={"params": {"depth": 9}, "reason": "is deeper better?"})
            assert asked.status_code == 201
            runs = await in_state(client, "succeeded", 2)
            assert [run["scores"]["accuracy"] for run in runs] == [0.9, 0.1]
            assert "is deeper better?" in runs[0]["started_by"]

    asyncio.run(test())


@pytest.mark.parametrize(
    ("model", "body", "code"),
    [("Iris", {"commit": "feedbeef"}, "version_not_found"), ("Nobody", {}, "model_not_found")],
)
def test_what_can_not_be_trained_is_refused(pushes: Pushes, model: str, body: dict[str, str], code: str) -> None:
    async def test() -> None:
        pushes.push(train=FITS)
        async with asking(pushes) as client:
            assert (await client.post(f"/models/{model}/runs", json=body)).json()["error"]["code"] == code

    asyncio.run(test())
