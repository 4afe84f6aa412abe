"""A server in this process, so that its limits are short, and what a client says to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from gateway.http.bodies import BodyBudget
from gateway.http.connections.shared import Application
from gateway.http.exchange import Answerer, Exchange
from gateway.http.limits import Limits
from gateway.http.refusals import refuse
from gateway.http.server import HttpServer

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Says:
    """An application that answers everything in the same way, or refuses it before its body has come."""

    def __init__(self, answerer: Answerer | None) -> None:
        self._answerer = answerer

    def route(self, exchange: Exchange) -> Answerer:
        if self._answerer is None:
            raise refuse("not_found", "nothing is here")
        return self._answerer


def hello(exchange: Exchange) -> None:
    exchange.respond(b"", 200, b"{}")


@contextlib.asynccontextmanager
async def http(
    answerer: Answerer | None = hello,
    stop_timeout_s: float = 1.0,
    application: Application | None = None,
    **limits: Any,
) -> AsyncIterator[int]:
    """The port of a server with these limits."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = HttpServer(
        application or Says(answerer),
        BodyBudget(1 << 20, 1 << 24),
        Limits(**{"body_s": 30.0, **limits}),
        stop_timeout_s,
    )
    serving = asyncio.create_task(server.serve(listener))
    try:
        yield port
    finally:
        server.stop()
        await serving


class Slow:
    """Answers a request with its body, when told to."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Exchange] = asyncio.Queue()

    def __call__(self, exchange: Exchange) -> None:
        self.asked.put_nowait(exchange)

    async def answer(self) -> None:
        """Once it is asked."""
        exchange = await self.asked.get()
        assert self.asked.empty()
        exchange.respond(b"", 200, exchange.body)


def post(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), lines, body)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)
