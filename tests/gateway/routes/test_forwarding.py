"""What is no model's goes to the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.gateway.connections import read_answer
from tests.gateway.running import asynchronous, echoes, gateway


async def tell(request: Request) -> Response:
    """What the daemon was asked."""
    body = await request.body()
    content = {
        "method": request.method,
        "target": f"{request.scope['raw_path'].decode()}?{request.url.query}",
        "headers": dict(request.headers),
        "body": body.decode(),
    }
    return JSONResponse(content, 201, {"x-said": "it", "keep-alive": "timeout=7", "connection": "x-hop", "x-hop": "1"})


class Drip:
    """A response that goes on when told to."""

    def __init__(self) -> None:
        self.more = asyncio.Event()

    async def answer(self, _: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one"
            await self.more.wait()
            yield b"two"

        return StreamingResponse(pieces(), media_type="text/event-stream")


@contextlib.asynccontextmanager
async def daemon(path: Path, *routes: Route) -> AsyncIterator[None]:
    """The daemon's HTTP end at its Unix socket."""
    everything = Route("/{path:path}", tell, methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
    app = Starlette(routes=[*routes, everything])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynchronous
async def test_a_request_reaches_the_daemon_as_it_was_and_so_does_the_answer_come_back(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client, daemon(tmp_path / "daemon"):
        sent = {
            "host": "public.example",
            "x-forwarded-for": "10.0.0.9",
            "x-forwarded-prefix": "/p",
            "content-type": "a/b",
        }
        answer = await client.put("/models/-/api/x%20y?q=1&q=2", content=b"body", headers={**sent, "te": "trailers"})
        told = answer.json()
        assert (answer.status_code, answer.headers["x-said"]) == (201, "it")
        assert (told["method"], told["target"]) == ("PUT", "/models/-/api/x%20y?q=1&q=2")
        assert told["body"] == "body"
        assert told["headers"]["x-forwarded-for"] == "10.0.0.9, 127.0.0.1"
        assert {name: told["headers"][name] for name in ("host", "x-forwarded-prefix", "content-type")} == {
            name: sent[name] for name in ("host", "x-forwarded-prefix", "content-type")
        }
        assert "te" not in told["headers"]
        assert not {"keep-alive", "x-hop", "server"} & set(answer.headers)
        assert len(answer.headers.get_list("date")) == 1


@asynchronous
async def test_an_offer_to_upgrade_does_not_reach_the_daemon_and_the_host_does(tmp_path: Path) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon"):
        reader, writer = await running.open()
        for _ in range(2):
            writer.write(b"POST /models/-/x HTTP/1.1\r\nHost: evil.example:80\r\n%bContent-Length: 2\r\n\r\n{}" % offer)
            status, body = await read_answer(reader)
            told = json.loads(body)
            assert (status, told["method"], told["body"]) == (201, "POST", "{}")
            assert told["headers"] == {
                "host": "evil.example:80",
                "x-forwarded-for": "127.0.0.1",
                "connection": "close",
                "content-length": "2",
            }
        writer.close()


@asynchronous
async def test_all_that_is_no_models_is_the_daemons(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client, daemon(tmp_path / "daemon"):
        await running.serve(Iris=echoes)
        for path in ("", "/", "/docs", "/openapi.json", "/-/", "/-/api/models/Iris/pin", "/v2/models/Iris"):
            answer = await client.get(f"/models{path}")
            assert answer.status_code == 201, path
            assert answer.json()["target"] == f"/models{path}?"
        assert (await client.get("/metrics")).status_code == 201


@asynchronous
async def test_a_connection_goes_on_after_an_answer_without_a_body(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon"):
        reader, writer = await running.open()
        for _ in range(2):
            writer.write(b"HEAD /models/docs HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201 ")
        writer.close()


@asynchronous
async def test_a_connection_goes_on_after_an_answer_with_the_length_of_a_body_that_it_has_not(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 4\r\n\r\n')
        writer.close()

    async with gateway(tmp_path) as running, await asyncio.start_unix_server(answer, tmp_path / "daemon"):
        reader, writer = await running.open()
        for _ in range(2):
            writer.write(b"GET /models/docs HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 304 ")
        writer.close()


@asynchronous
async def test_an_answer_comes_piece_by_piece_as_the_daemon_gives_it(tmp_path: Path) -> None:
    drip = Drip()
    async with gateway(tmp_path) as running, running.client() as client:  # noqa: SIM117
        async with daemon(tmp_path / "daemon", Route("/models/-/events", drip.answer)):
            async with client.stream("GET", "/models/-/events") as answer:
                pieces = answer.aiter_bytes()
                assert await anext(pieces) == b"one"
                drip.more.set()
                assert await anext(pieces) == b"two"


@asynchronous
async def test_redirects_and_large_answers_pass(tmp_path: Path) -> None:
    async def redirect(_: Request) -> Response:
        return RedirectResponse("/models/-/there", 303)

    async def large(_: Request) -> Response:
        return Response(b"x" * 3_000_000)

    routes = (Route("/models/-/here", redirect), Route("/models/-/large", large))
    async with gateway(tmp_path) as running, running.client() as client, daemon(tmp_path / "daemon", *routes):
        answer = await client.get("/models/-/here")
        assert (answer.status_code, answer.headers["location"]) == (303, "/models/-/there")
        assert len((await client.get("/models/-/large")).content) == 3_000_000


@asynchronous
async def test_bodies_to_the_daemon_are_bounded(tmp_path: Path) -> None:
    async with gateway(tmp_path, max_body=1000) as running, running.client() as client, daemon(tmp_path / "daemon"):
        assert (await client.post("/models/-/sync", content=b"x" * 1001)).status_code == 413
        assert (await client.post("/models/-/sync", content=b"x" * 1000)).json()["body"] == "x" * 1000


UPLOAD = "/models/-/api/models/Iris"


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1_000_000


def most_memory(pid: int) -> int:
    """Megabytes that the process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


@asynchronous
async def test_an_upload_passes_in_whatever_size_and_is_not_held_in_memory(tmp_path: Path) -> None:
    async def count(request: Request) -> Response:
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return JSONResponse([size, request.headers.get("content-length")])

    routes = (Route(UPLOAD, count, methods=["PUT"]), Route("/models/-/upload", count, methods=["POST"]))
    async with gateway(tmp_path, max_body=1000) as running, running.client() as client:  # noqa: SIM117
        async with daemon(tmp_path / "daemon", *routes):
            assert (await client.put(UPLOAD, content=b"")).json() == [0, "0"]
            before = most_memory(running.process.pid)
            length = {"content-length": "100000000"}
            assert (await client.put(UPLOAD, content=pieces(100), headers=length)).json() == [100_000_000, "100000000"]
            assert (await client.post("/models/-/upload", content=pieces(50))).json() == [50_000_000, None]
            assert most_memory(running.process.pid) - before < 30
            assert (await client.post(UPLOAD + "/pin", content=b"x" * 1001)).status_code == 413


@asynchronous
async def test_an_upload_that_the_daemon_refuses_is_answered_before_all_of_it_has_come(tmp_path: Path) -> None:
    async def refuse(_: Request) -> Response:
        return Response(b"no", 401)

    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon", Route(UPLOAD, refuse, methods=["PUT"])):
        reader, writer = await running.open()
        head = b"PUT %b HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" % UPLOAD.encode()
        writer.write(head + b"x" * 1_000_000)
        assert await read_answer(reader) == (401, b"no")
        writer.write(b"x" * 2_000_000 + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await read_answer(reader))[0] == 200
        writer.close()


@asynchronous
async def test_the_daemon_is_told_that_an_upload_broke_off(tmp_path: Path) -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def take(request: Request) -> Response:
        with contextlib.suppress(ClientDisconnect):
            async for _ in request.stream():
                came.set()
            return Response(b"whole")
        gone.set()
        return Response(b"broken off")

    async with gateway(tmp_path) as running, daemon(tmp_path / "daemon", Route(UPLOAD, take, methods=["PUT"])):
        for framing, begin, broken in (
            (b"Content-Length: 9", b"abc", b""),
            (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n", b"no\r\n"),
        ):
            came.clear()
            gone.clear()
            reader, writer = await running.open()
            writer.write(b"PUT %b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n%b" % (UPLOAD.encode(), framing, begin))
            await came.wait()
            writer.write(broken)
            if broken:
                assert (await read_answer(reader))[0] == 400
            writer.close()
            await gone.wait()


@asynchronous
async def test_models_are_served_while_the_daemon_does_not_answer(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        answer = await client.get("/models/-/")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "control_plane_unavailable")
        assert "retry-after" in answer.headers

        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_unix_server(hang_up, tmp_path / "daemon"):
            answer = await client.get("/models/-/")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "control_plane_unavailable")
        assert (await client.post("/models/Iris", json=[1])).json() == [1]


@asynchronous
async def test_only_so_many_requests_at_a_time_are_passed_on(tmp_path: Path) -> None:
    drip = Drip()
    async with gateway(tmp_path) as running, running.client() as client:  # noqa: SIM117
        async with (
            daemon(tmp_path / "daemon", Route("/models/-/events", drip.answer)),
            contextlib.AsyncExitStack() as stack,
        ):
            for _ in range(64):
                await stack.enter_async_context(client.stream("GET", "/models/-/events"))
            answer = await client.get("/metrics")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "control_plane_unavailable")
            await stack.aclose()
            while (await client.get("/metrics")).status_code == 503:
                pass
            drip.more.set()
