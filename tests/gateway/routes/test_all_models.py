"""One body to every live model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from gateway.http.statuses import CLIENT_GONE
from tests.gateway.running import Gate, answers, asynchronous, echoes, gateway, hangs, route, statuses_in

ERROR = b'{"error":{"code":"model_error","message":"no"}}'


@asynchronous
async def test_all_live_models_answer_side_by_side_in_order(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Beta=answers(b'{"b": 1.50}'), Alpha=answers(b'{"a":[1]}'), Gamma=echoes)
        answer = await client.post("/models/all", content=b'{"variables":{}}')
        assert answer.content == b'{"Alpha":{"a":[1]},"Beta":{"b": 1.50},"Gamma":{"variables":{}}}'
        assert answer.headers["content-type"] == "application/json"
        assert (await client.get("/models/all/")).headers["cache-control"] == "no-store"


@asynchronous
async def test_models_are_asked_at_once(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        workers = await running.serve(A=gate, B=gate)
        request = asyncio.create_task(client.post("/models/all", json={}))
        for worker in workers:
            await worker.wait_for_requests(1)
        gate.opened.set()
        assert (await request).json() == {"A": "late", "B": "late"}


@asynchronous
async def test_a_failing_model_has_its_error_in_its_place(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Good=answers(b'{"y":1}'), Bad=answers(ERROR, status=400), Slow=hangs)
        slow = route("Slow", timeout_s=0.1, pool=running.table.live["Slow"].pool)
        await running.route(live={**running.table.live, "Slow": slow, "Gone": route("Gone")})
        answer = await client.post("/models/all", json={})
        codes = {model: said.get("error", {}).get("code") for model, said in answer.json().items()}
        assert answer.status_code == 200
        assert codes == {"Bad": "model_error", "Gone": "not_live", "Good": None, "Slow": "deadline_exceeded"}


@asynchronous
async def test_a_body_that_no_model_can_read_is_refused_once(tmp_path: Path) -> None:
    malformed = b'{"error":{"code":"malformed_json"}}'
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(A=answers(malformed, status=400), B=answers(malformed, status=400))
        for query in ("", "?flat=true"):
            answer = await client.post(f"/models/all{query}", content=b"{")
            assert (answer.status_code, answer.content) == (400, malformed)


@asynchronous
async def test_no_models_answer_nothing(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        assert (await client.post("/models/all", json={})).content == b"{}"
        assert (await client.post("/models/all?flat=true", json={})).content == b"{}"


@asynchronous
async def test_flat_merges_the_fields_of_all_answers(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(
            A=answers(b'{"big":123456789012345678901234567890,"same":1}'),
            B=answers(b'{"same":2}'),
            C=answers(b'"no object"'),
            D=answers(ERROR, status=500),
        )
        answer = await client.post("/models/all?x=1&flat=true", json={})
        fields = b'"big":123456789012345678901234567890,"same":2,"C":"no object","D":'
        assert answer.content == b"{" + fields + ERROR + b"}"


@asynchronous
async def test_flat_is_yes_or_no(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(A=answers(b'{"a":1}'))
        for said, merged in (("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False)):
            for method in ("GET", "POST"):
                answer = await client.request(method, f"/models/all?flat={said}")
                assert answer.json() == ({"a": 1} if merged else {"A": {"a": 1}}), said
        asked = len(worker.requests)
        for said in ("yes", "", "2", "true;x"):
            error = (await client.post(f"/models/all?flat={said}", json={})).json()["error"]
            assert (error["code"], error["field"]) == ("invalid_parameter", "flat")
        assert len(worker.requests) == asked


@asynchronous
async def test_flat_merges_lists_element_by_element(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(
            A=answers(b'[{"a":1},{"a":2}]'), B=answers(b'[{"b":1},7]'), C=answers(b'{"e":0}', status=500)
        )
        answer = await client.post("/models/all?flat=true", json={})
        assert answer.json() == [{"a": 1, "b": 1, "C": {"e": 0}}, {"a": 2, "B": 7, "C": {"e": 0}}]


@asynchronous
async def test_flat_leaves_lists_beside_objects_under_their_names(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(A=answers(b"[1,2]"), B=answers(b'{"b":1}'))
        assert (await client.post("/models/all?flat=true", json={})).json() == {"A": [1, 2], "b": 1}


@asynchronous
async def test_a_client_that_leaves_cancels_its_requests_to_all(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        workers = await running.serve(A=hangs, B=hangs)
        patient = {name: msgspec.structs.replace(live, timeout_s=3600) for name, live in running.table.live.items()}
        await running.route(live=patient)
        _, writer = await running.open()
        writer.write(b"GET /models/all HTTP/1.1\r\nHost: x\r\n\r\n")
        for worker in workers:
            await worker.wait_for_requests(1)
        writer.close()
        for worker, model in zip(workers, "AB", strict=True):
            assert await worker.cancelled.get() == worker.requests[0].id
            assert statuses_in(await running.hear_counts(f"{model}/v1"), f"{model}/v1") == {CLIENT_GONE: 1}
