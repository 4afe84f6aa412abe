"""What a client may take its time for. A server in this process, so that its limits are short."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from server.gateway.body import Bodies
from server.gateway.connection import Limits
from server.gateway.exchange import Answerer, Exchange
from server.gateway.http import HttpServer
from server.gateway.refusal import refuse
from tests.server.gateways import asynchronous

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Says:
    """An application that answers everything in the same way, or refuses it before its body has come."""

    def __init__(self, answerer: Answerer | None) -> None:
        self._answerer = answerer

    def route(self, exchange: Exchange) -> Answerer:
        if self._answerer is None:
            raise refuse(404, "not_found", "nothing is here")
        return self._answerer


def hello(exchange: Exchange) -> None:
    exchange.respond(b"", 200, b"{}")


@contextlib.asynccontextmanager
async def http(answerer: Answerer | None = hello, **limits: Any) -> AsyncIterator[int]:
    """The port of a server with these limits."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = HttpServer(
        Says(answerer), Bodies(1 << 20, 1 << 24), Limits(**{"body_s": 30.0, **limits}), stop_timeout_s=1.0
    )
    serving = asyncio.create_task(server.serve(listener))
    try:
        yield port
    finally:
        server.stop()
        await serving


@asynchronous
async def test_a_head_that_drips_in_is_given_up() -> None:
    async with http(head_s=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"head_timeout"' in answer
        writer.close()


@asynchronous
async def test_a_head_without_end_is_refused() -> None:
    async with http(head_bytes=10_000) as port:
        for flood in (b"x: " + b"y" * 1000 + b"\r\n", b"y" * 1000):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD)
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(flood)
                    await writer.drain()
            with contextlib.suppress(ConnectionError):
                assert (await reader.read(13)) == b"HTTP/1.1 431 "
            writer.close()


@asynchronous
async def test_connections_that_ask_nothing_are_closed() -> None:
    async with http(idle_s=0.1) as port:
        fresh, _ = streams = await asyncio.open_connection("127.0.0.1", port)
        used, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"\r\n")
        assert (await used.read()).startswith(b"HTTP/1.1 200 ")
        assert await fresh.read() == b""
        writer.close()
        streams[1].close()


@asynchronous
async def test_a_body_that_nobody_waits_for_is_not_read_for_ever() -> None:
    async with http(None, body_s=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"body_timeout" not in answer
        writer.close()


@asynchronous
async def test_a_client_that_does_not_read_its_answer_is_let_go() -> None:
    gone = asyncio.Event()

    def huge(exchange: Exchange) -> None:
        exchange.on_leave = gone.set
        exchange.begin(200, [])
        sending.append(asyncio.create_task(exchange.send(b"x" * 50_000_000)))

    sending: list[asyncio.Task[None]] = []
    async with http(huge, stalled_s=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(HEAD + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        await gone.wait()
        writer.close()


@asynchronous
async def test_there_is_a_most_of_connections() -> None:
    async with http(connections=2) as port:
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in streams:
            writer.write(HEAD + b"\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        for _, open_writer in (*streams, (reader, writer)):
            open_writer.close()
