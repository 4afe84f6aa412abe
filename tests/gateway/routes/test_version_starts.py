"""Requests for a version of a model."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.messages import Start, Started
from tests.gateway.running import COMMIT, answers, asynchronous, echoes, gateway, route


@asynchronous
async def test_the_live_version_is_known_by_its_number_and_commit(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        for version in ("v1", COMMIT):
            answer = await client.post(f"/models/Iris/{version}", json={})
            assert answer.headers["x-pawl-version"] == "v1"


@asynchronous
async def test_another_version_is_started_once_however_many_ask(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        worker = await running.worker(answers(b'"seven"'))
        requests = [asyncio.create_task(client.post("/models/Iris/v7", json={})) for _ in range(5)]
        start = await running.hear_start()
        assert (start.model, start.version) == ("Iris", "v7")
        await running.route(
            versions={"Iris/v7": route("Iris", version="v7", pool="old")},
            pools={**running.table.pools, "old": (worker.path,)},
        )
        running.send(Started(ticket=start.ticket))
        for answer in await asyncio.gather(*requests):
            assert (answer.json(), answer.headers["x-pawl-version"]) == ("seven", "v7")
        assert (await client.get("/models/Iris/v7/")).json() == "seven"
        assert [message for message in running.heard if isinstance(message, Start)] == [start]


@asynchronous
async def test_a_version_that_does_not_start_says_why_and_may_be_asked_for_again(tmp_path: Path) -> None:
    error = {"code": "version_ambiguous", "message": "two commits", "commits": ["a", "b"]}
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        for ticket in (1, 2):
            request = asyncio.create_task(client.post("/models/Iris/abcdef1", json={}))
            assert await running.hear(lambda message, ticket=ticket: getattr(message, "ticket", 0) == ticket)
            running.send(Started(ticket=ticket, error=error))
            answer = await request
            assert (answer.status_code, answer.json()) == (404, {"error": error})


@asynchronous
async def test_a_version_of_a_model_that_is_down_may_be_asked_for(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.route(down={"Iris": "broken"})
        request = asyncio.create_task(client.post("/models/Iris/v1", json={}))
        start = await running.hear_start()
        running.send(Started(ticket=start.ticket, error={"code": "too_many_versions", "message": "four run"}))
        answer = await request
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_many_versions")
        assert "retry-after" in answer.headers


@asynchronous
async def test_the_daemon_is_not_asked_for_what_can_be_no_version(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        for version in (
            "v0",
            "v01",
            "v1234567890",
            "V2",
            "latest",
            "abcdef",
            "ABCDEF1",
            "0" * 41,
            "xyzxyzx",
            "v2%0A",
            "%2e%2e",
        ):
            answer = await client.post(f"/models/Iris/{version}", json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "version_not_found"), version
        answer = await client.post("/models/Nope/v3", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
        await running.route()
        assert not any(isinstance(message, Start) for message in running.heard)


@asynchronous
async def test_who_leaves_while_a_version_starts_spoils_it_for_nobody(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        reader, writer = await running.open()
        writer.write(b"GET /models/Iris/v2 HTTP/1.1\r\nHost: x\r\n\r\n")
        start = await running.hear_start()
        request = asyncio.create_task(client.post("/models/Iris/v2", json=[2]))
        writer.close()
        await client.get("/healthz")
        await running.route(versions={"Iris/v2": route("Iris", version="v2", pool=running.table.live["Iris"].pool)})
        running.send(Started(ticket=start.ticket))
        assert (await request).json() == [2]
        assert reader.at_eof() or not await reader.read()


@asynchronous
async def test_an_answer_of_what_was_trained_names_its_run_and_other_answers_none(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        assert "x-pawl-run" not in (await client.post("/models/Iris", json={})).headers
        await running.route(live={"Iris": route("Iris", run="0123456789ab", pool=running.table.live["Iris"].pool)})
        assert (await client.post("/models/Iris", json={})).headers["x-pawl-run"] == "0123456789ab"


@asynchronous
async def test_the_version_of_what_was_trained_is_asked_for_since_a_newer_artifact_may_be_its_own(
    tmp_path: Path,
) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        await running.route(live={"Iris": route("Iris", run="0123456789ab", pool=running.table.live["Iris"].pool)})
        for ticket, version in enumerate(("v1", COMMIT, "run-0123456789ab"), 1):
            request = asyncio.create_task(client.post(f"/models/Iris/{version}", json={}))
            start = await running.hear(lambda message, ticket=ticket: getattr(message, "ticket", 0) == ticket)
            assert isinstance(start, Start)
            assert start.version == version
            running.send(Started(ticket=ticket, error={"code": "artifact_gone", "message": "it is gone"}))
            assert (await request).status_code == 410


@asynchronous
async def test_a_model_that_was_never_trained_says_how_its_run_stands(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.route(down={"Iris": "it has never been trained"}, untrained={"Iris": "running"})
        answer = await client.post("/models/Iris", json={})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["run"]) == (503, "not_trained", "running")
        assert answer.headers["retry-after"]


@asynchronous
async def test_what_is_no_runs_key_is_no_version(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        for name in ("run-", "run-0123456789a", "run-0123456789abc", "run-0123456789aX"):
            assert (await client.post(f"/models/Iris/{name}", json={})).status_code == 404


@asynchronous
async def test_what_is_asked_for_by_its_run_is_counted_apart_from_what_is_live(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        live = running.table.live["Iris"]
        await running.route(
            live={"Iris": route("Iris", run="0" * 12, pool=live.pool)},
            versions={f"Iris/run-{'1' * 12}": route("Iris", run="1" * 12, pool=live.pool)},
        )
        await client.post(f"/models/Iris/run-{'1' * 12}", json={})
        await client.post("/models/Iris", json={})
        for name in ("Iris/v1", f"Iris/run-{'1' * 12}"):
            await running.hear_counts(name)
            assert running.counted(name) == {200: 1}
