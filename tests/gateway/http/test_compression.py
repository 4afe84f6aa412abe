"""Bodies packed with gzip, on their way in and out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.messages import Counted
from tests.gateway.routes.test_forwarding import daemon
from tests.gateway.running import Gateway, answers, asynchronous, echoes, gateway, hangs

BODY = json.dumps({"variables": {"text": "a" * 3000}}).encode()
LARGE = json.dumps([{"at": number, "square": number * number} for number in range(40_000)]).encode()
SOME = b'"%b"' % (b"x" * 1023)
"""The smallest answer that is packed."""


async def post(running: Gateway, body: bytes, coding: str, path: str = "Echo") -> Any:
    async with running.client() as client:
        return await client.post(f"/models/{path}", content=body, headers={"content-encoding": coding})


@asynchronous
async def test_a_packed_body_is_scored_as_what_it_holds(tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    halves = gzip.compress(BODY[:100]) + gzip.compress(b"") + gzip.compress(BODY[100:])
    codings = [("gzip", packed), ("GZIP", packed), ("x-gzip", packed), ("gzip, identity", packed), ("gzip", halves)]
    async with gateway(tmp_path) as running:
        [worker] = await running.serve(Echo=echoes)
        for coding, body in [*codings, ("identity", BODY), ("", BODY)]:
            for path in ("Echo", "Echo/v1", "all"):
                answer = await post(running, body, coding, path)
                assert answer.status_code == 200, (coding, answer.text)
                assert worker.requests[-1].body == BODY
        assert (await post(running, b"", "gzip")).content == b"null"


@asynchronous
async def test_a_coding_that_is_not_taken_is_refused_and_those_that_are_named(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon"):
        [worker] = await running.serve(Echo=echoes)
        for coding in ("br", "deflate", "zstd", "gzip, gzip", "gzip, br", "gzipped"):
            for path in ("Echo", "all", "-/sync"):
                answer = await post(running, gzip.compress(BODY), coding, path)
                assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_encoding"), coding
                assert "gzip" in answer.json()["error"]["message"]
                assert answer.headers["accept-encoding"] == "gzip, identity"
        assert not worker.requests


@asynchronous
async def test_what_is_no_whole_gzip_is_malformed(tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    wrong_sum = packed[:-8] + bytes(each ^ 1 for each in packed[-8:])
    many = gzip.compress(b"") * 20_000
    async with gateway(tmp_path) as running:
        [worker] = await running.serve(Echo=echoes)
        for body in (packed[:-1], packed[:20], packed[:5], BODY, packed + b"more", packed + b"\0", wrong_sum, many):
            answer = await post(running, body, "gzip")
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_encoding")
        assert not worker.requests
        assert (await post(running, packed, "gzip")).status_code == 200


@asynchronous
async def test_what_a_body_holds_is_bounded_and_let_go(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    async with gateway(tmp_path, max_body=1_000_000, max_buffered=1_500_000) as running:
        [worker] = await running.serve(Echo=echoes)
        for _ in range(5):
            answer = await post(running, bomb, "gzip")
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        assert not worker.requests
        for _ in range(5):  # what the others held is free again
            assert len((await post(running, gzip.compress(bytes(1_000_000)), "gzip")).content) == 1_000_000


@asynchronous
async def test_other_requests_are_answered_while_a_body_is_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(bytes(200_000_000), 1)
    async with gateway(tmp_path, max_body=1 << 28, max_buffered=1 << 29) as running:
        [worker] = await running.serve(Echo=hangs)
        _, writer = await running.open()
        head = b"POST /models/Echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(packed) + packed)
        await writer.drain()
        answered = 0
        async with running.client() as client:
            while not worker.requests:
                assert (await client.get("/healthz")).status_code == 200
                answered += 1
        assert answered > 10
        writer.close()


@asynchronous
async def test_the_daemon_gets_what_a_packed_body_holds(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon"):
        told = (await post(running, gzip.compress(BODY), "gzip", "-/sync")).json()
        assert told["body"].encode() == BODY
        assert told["headers"]["content-length"] == str(len(BODY))
        assert "content-encoding" not in told["headers"]


@pytest.mark.parametrize(
    ("accept", "is_packed"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("deflate, GZIP;q=0.5, br", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=1.0 , identity;q=0.5", True),
        ("identity;q=0, gzip", True),
        ("", False),
        ("br, deflate", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.9", False),
        ("gzipped", False),
        ("gzip;q=x", False),
    ],
)
@asynchronous
async def test_an_answer_is_packed_where_that_is_asked_for(tmp_path: Path, accept: str, is_packed: bool) -> None:
    async with gateway(tmp_path) as running, running.client(headers={"accept-encoding": accept}) as client:
        await running.serve(Some=answers(SOME), Large=answers(LARGE), Error=answers(SOME, status=500))
        for path in ("Some", "Large", "Error", "all", "all?flat=true"):
            answer = await client.post(f"/models/{path}")
            assert ("content-encoding" in answer.headers) == is_packed, path
            assert answer.headers["vary"] == "accept-encoding"
            if path != "all" and "?" not in path:
                assert answer.content == (LARGE if path == "Large" else SOME)
        head, whole = await client.head("/models/Large"), await client.get("/models/Large")
        assert head.headers["content-length"] == whole.headers["content-length"]


@asynchronous
async def test_a_small_answer_is_not_packed(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client(headers={"accept-encoding": "gzip"}) as client:
        await running.serve(Small=answers(SOME[1:]))
        answer = await client.post("/models/Small")
        assert "content-encoding" not in answer.headers
        assert len(answer.content) == 1024


@asynchronous
async def test_a_client_that_leaves_while_its_answer_is_packed_is_forgotten(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        await running.serve(Large=answers(LARGE * 30))
        for _ in range(3):
            _, writer = await running.open()
            writer.write(b"GET /models/Large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            await running.workers[0].wait_for_requests(1)
            writer.transport.abort()
        running.heard.clear()
        counted = await running.hear(lambda message: isinstance(message, Counted))
        assert set(counted.outstanding.values()) == {0}
        assert await running.stop() == 0


async def page(_: Request) -> Response:
    return PlainTextResponse(LARGE, headers={"etag": '"1"', "vary": "accept"})


async def events(_: Request) -> Response:
    return Response(LARGE, media_type="text/event-stream")


async def packed_already(_: Request) -> Response:
    return PlainTextResponse(gzip.compress(LARGE), headers={"content-encoding": "gzip"})


async def picture(_: Request) -> Response:
    return Response(LARGE, media_type="image/png")


async def dripping(_: Request) -> Response:
    return StreamingResponse(iter([LARGE]), media_type="application/json")


async def small(_: Request) -> Response:
    return PlainTextResponse("small")


@asynchronous
async def test_what_the_daemon_answers_is_packed_where_that_is_worth_it_and_once(tmp_path: Path) -> None:
    shown = (page, events, packed_already, picture, dripping, small)
    routes = [Route(f"/models/-/{each.__name__}", each) for each in shown]
    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon", *routes):
        async with running.client() as client:
            seen = {each.__name__: await client.get(f"/models/-/{each.__name__}") for each in shown}
            assert seen["page"].content == seen["packed_already"].content == LARGE
            assert seen["page"].headers["etag"] == 'W/"1"'
            assert seen["page"].headers["vary"] == "accept, accept-encoding"
            packed = {name for name, answer in seen.items() if "content-encoding" in answer.headers}
            assert packed == {"page", "packed_already"}
            head = await client.head("/models/-/page")
            assert (head.headers["content-encoding"], "content-length" in head.headers) == ("gzip", False)
        async with running.client(headers={"accept-encoding": "gzip;q=0"}) as client:
            plain = await client.get("/models/-/page")
            assert plain.headers["content-length"] == str(len(LARGE))
            assert plain.headers["vary"] == "accept, accept-encoding"


@asynchronous
async def test_the_daemon_is_told_what_may_be_packed_in_one_way(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon"):
        for accept, told in (("br;q=1, X-GZIP;q=0.2", "gzip"), ("gzip;q=0", None)):
            async with running.client(headers={"accept-encoding": accept}) as client:
                answer = await client.get("/models/-/x")
                assert answer.json()["headers"].get("accept-encoding") == told
