"""A request's way through a gateway, and what is said of one that is no good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.gateway.connections import read_answer
from tests.gateway.running import COMMIT, Gate, answers, asynchronous, echoes, gateway, route, statuses_in


@asynchronous
async def test_an_answer_says_what_gave_it(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        answer = await client.post("/models/Iris", json={"variables": {"x": 1}})
        assert (answer.status_code, answer.json()) == (200, {"variables": {"x": 1}})
        assert answer.headers["x-pawl-model"] == "Iris"
        assert answer.headers["x-pawl-version"] == "v1"
        assert answer.headers["x-pawl-commit"] == COMMIT
        assert answer.headers["x-pawl-role"] == "live"
        assert answer.headers["content-type"] == "application/json"
        assert "cache-control" not in answer.headers


@asynchronous
async def test_a_workers_error_is_passed_on_as_it_is(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=answers(b'{"error":{"code":"invalid_variables"}}', status=422))
        answer = await client.post("/models/Iris", json={})
        assert (answer.status_code, answer.content) == (422, b'{"error":{"code":"invalid_variables"}}')
        assert answer.headers["x-pawl-version"] == "v1"


@asynchronous
@pytest.mark.parametrize("status", [0, 101, 204, 304, 1000])
async def test_a_worker_that_answers_with_what_has_no_body_spoils_no_other_answer(tmp_path: Path, status: int) -> None:
    async with gateway(tmp_path) as running:
        await running.serve(Iris=answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", status=status))
        reader, writer = await running.open()
        for path in (b"/models/Iris", b"/healthz"):
            writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        assert [(await read_answer(reader))[0] for _ in range(2)] == [502, 200]
        writer.close()
        await running.hear_counts("Iris/v1")
        assert running.counted("Iris/v1") == {502: 1}


@asynchronous
async def test_get_scores_without_variables_and_is_not_to_be_stored(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=echoes)
        answer = await client.get("/models/Iris/")
        assert (answer.status_code, answer.content) == (200, b"null")
        assert answer.headers["cache-control"] == "no-store"
        assert worker.requests[0].body == b""
        head = await client.head("/models/Iris")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "4")


@asynchronous
async def test_other_methods_are_told_which_to_use(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        for path in ("/models/Iris", "/models/all"):
            answer = await client.put(path, json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
            assert answer.headers["allow"] == "GET, HEAD, POST"
        assert (await client.post("/healthz")).headers["allow"] == "GET, HEAD"


@asynchronous
async def test_bodies_of_another_type_are_refused(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=echoes)
        for headers in (
            *({"content-type": type} for type in ("text/csv", "multipart/form-data; boundary=x", "application/jsonp")),
            {"content-encoding": "br"},
        ):
            answer = await client.post("/models/Iris", content=b"{}", headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"][:11]) == (415, "unsupported")
        for type in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json", ""):
            assert (await client.post("/models/Iris", content=b"{}", headers={"content-type": type})).is_success
        assert (await client.post("/models/Iris", content=b"{}")).is_success
        form = {"content-type": "application/x-www-form-urlencoded", "content-encoding": "identity"}
        assert (await client.post("/models/Iris", content=b"{}", headers=form)).is_success
        assert len(worker.requests) == 6


@asynchronous
async def test_a_model_that_takes_bodies_as_they_are_gets_those_of_any_type(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Raw=echoes)
        await running.route(live={"Raw": route("Raw", pool=worker.path, takes_any_type=True)})
        for path in ("/models/Raw", "/models/Raw/v1"):
            answer = await client.post(path, content=b"\xff\xd8", headers={"content-type": "image/jpeg"})
            assert answer.is_success, answer.text
            assert worker.requests[-1].body == b"\xff\xd8"


@asynchronous
async def test_paths_that_name_nothing_are_unknown_whatever_they_hold(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=echoes)
        for name in ("Nope", "%00", "%2e%2e", "%2e%2e%2fetc", "%C3%A9t%C3%A9", "%FF%FE", "iris", "x" * 10_000, "a%0Ab"):
            answer = await client.post(f"/models/{name}", json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found"), name
            assert len(answer.content) < 400
            assert "GET /models/ " in answer.json()["error"]["message"]
        for path in ("/", "/model", "/modelsIris", "/Iris", "/models/Iris/v1/x", "/models/Iris//", "/models/all/v1"):
            answer = await client.post(path, json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), path
        assert not worker.requests


@pytest.mark.parametrize("base", ["", "/one", "/one/two"])
@asynchronous
async def test_models_are_served_under_the_base_path(tmp_path: Path, base: str) -> None:
    async with gateway(tmp_path, base=base) as running, running.client() as client:
        await running.serve(Iris=echoes)
        for path in ("Iris", "Iris/", "Iris/v1", "Iris/v1/", f"Iris/{COMMIT}", "%49ris"):
            assert (await client.post(f"{base}/{path}", json=[1])).json() == [1]
        assert (await client.post(f"{base}/all", json=[1])).json() == {"Iris": [1]}
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}


@asynchronous
async def test_a_body_over_the_limit_is_refused_before_and_while_it_is_read(tmp_path: Path) -> None:
    async def pieces() -> object:
        for _ in range(20):
            yield b"x" * 100

    async with gateway(tmp_path, max_body=1000) as running, running.client() as client:
        [worker] = await running.serve(Iris=echoes)
        for content in (b"x" * 1001, pieces()):
            answer = await client.post("/models/Iris", content=content)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        assert not worker.requests
        whole = b'"' + b"x" * 998 + b'"'
        assert (await client.post("/models/Iris", content=whole)).content == whole


@asynchronous
async def test_a_body_over_the_limit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    async with gateway(tmp_path, max_body=1000) as running:
        await running.serve(Iris=echoes)
        reader, writer = await running.open()
        writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
        writer.close()


@asynchronous
async def test_bodies_that_fill_the_memory_set_aside_are_refused(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path, max_body=1000, max_buffered=1500) as running, running.client() as client:
        [worker] = await running.serve(Iris=gate)
        first = asyncio.create_task(client.post("/models/Iris", content=b"x" * 900))
        await worker.wait_for_requests(1)
        answer = await client.post("/models/Iris", content=b"x" * 900)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
        gate.opened.set()
        assert (await first).is_success
        for _ in range(3):
            assert (await client.post("/models/Iris", content=b"x" * 900)).is_success


@asynchronous
async def test_a_body_shorter_than_its_length_is_waited_for_and_given_up(tmp_path: Path) -> None:
    async with gateway(tmp_path, body_timeout_s=0.2) as running:
        [worker] = await running.serve(Iris=echoes)
        reader, writer = await running.open()
        writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"body_timeout"' in answer
        assert not worker.requests
        writer.close()


@asynchronous
async def test_a_client_that_leaves_within_its_body_asks_nothing(tmp_path: Path) -> None:
    async with gateway(tmp_path, max_buffered=1000) as running, running.client() as client:
        [worker] = await running.serve(Iris=echoes)
        for _ in range(3):
            _, writer = await running.open()
            writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 900)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        # What they had sent no longer counts as held.
        while (await client.post("/models/Iris", content=b"y" * 900)).status_code == 503:
            pass
        assert {frame.body[:1] for frame in worker.requests} == {b"y"}


@asynchronous
async def test_a_client_that_leaves_cancels_its_request_and_no_other(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=gate)
        stays = asyncio.create_task(client.post("/models/Iris", content=b"1"))
        await worker.wait_for_requests(1)
        _, writer = await running.open()
        writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2")
        await worker.wait_for_requests(2)
        writer.close()
        assert await worker.cancelled.get() == worker.requests[1].id
        gate.opened.set()
        assert (await stays).json() == "late"
        counted = await running.hear_counts("Iris/v1")
        assert statuses_in(counted, "Iris/v1").get(499) == 1


@asynchronous
async def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        await running.serve(Iris=echoes)
        reader, writer = await running.open()
        for number in range(20):
            writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d" % number)
        for number in range(20):
            await reader.readuntil(b"\r\n\r\n")
            assert int(await reader.readexactly(2)) == number
        writer.close()


@asynchronous
async def test_a_client_that_asks_for_another_protocol_gets_this_one(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        await running.serve(Iris=echoes)
        reader, writer = await running.open()
        upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" + upgrade + b"\r\n7")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()


@asynchronous
async def test_what_is_no_http_is_refused_in_the_one_shape(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        reader, writer = await running.open()
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'{"error":{"code":"malformed_request"' in answer
        writer.close()
        assert (await client.get("/healthz")).is_success


@asynchronous
async def test_a_model_without_a_live_release_says_why(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.route(down={"Iris": "etls.py: line 3: no such file"})
        answer = await client.post("/models/Iris", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_live")
        assert "etls.py: line 3: no such file" in answer.json()["error"]["message"]
        assert "retry-after" in answer.headers


@asynchronous
async def test_readiness_is_the_tables_and_says_who_does_not_answer(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        down = {"Iris": "it is being loaded", "Bad": "its release failed"}
        await running.route(ready=False, live={"A": route("A")}, down=down)
        answer = await client.get("/readyz")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["live"], error["down"]) == (503, "not_ready", ["A"], down)
        # Who has failed is not waited for, and a table doesn't tell the two apart.
        assert error["message"] == "the server is starting or stopping; not live: Bad, Iris (`down` says why)"
        assert (await client.get("/healthz")).is_success
        # Nobody knows yet that there is no such model.
        assert (await client.post("/models/Other", json={})).status_code == 503
        await running.route(ready=False, down={})
        assert (await client.get("/readyz")).json()["error"]["message"] == "the server is starting or stopping"
        await running.route(ready=True)
        assert (await client.get("/readyz")).is_success
        assert (await client.post("/models/Other", json={})).status_code == 404
