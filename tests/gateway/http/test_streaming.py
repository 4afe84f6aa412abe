from __future__ import annotations

import asyncio

from gateway.http.exchange import Exchange
from gateway.http.streaming import StreamedAnswer
from tests.gateway.connections import HEAD, http
from tests.gateway.running import asynchronous

PIECE = b"x" * 50_000_000
"""More than the kernel keeps for a client that doesn't read."""


@asynchronous
async def test_a_piece_counts_as_sent_only_once_the_client_has_room_for_more() -> None:
    sending: list[asyncio.Task[None]] = []

    def begin(exchange: Exchange) -> None:
        sending.append(asyncio.create_task(StreamedAnswer(exchange, 200, []).send(PIECE)))

    async with http(begin) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(HEAD + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert not sending[0].done()
        await reader.readuntil(b"\r\n")
        await reader.readexactly(len(PIECE))
        await sending[0]
        writer.transport.abort()
