"""A load generator for machines without wrk: connections that send the next request as soon as the answer is there.

It is Python: where the server's rate comes near ten thousand a second, it is this that is measured.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import uvloop

from bench.load.endpoint import Endpoint
from bench.load.percentile import percentile
from bench.load.wrk import Load

_PATIENCE_S = 20.0


def load(endpoint: Endpoint, body: bytes, connections: int, seconds: float) -> Load:
    """POST `body` on so many connections for so long; as `wrk.load`."""
    began_cpu = time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        clients = runner.run(_ask(endpoint, body, connections, seconds))
    took = [each for client in clients for each in client.took]
    return Load(
        requests=len(took),
        seconds=seconds,
        p50_us=1e6 * percentile(took, 0.50),
        p99_us=1e6 * percentile(took, 0.99),
        most_us=1e6 * percentile(took, 1.0),
        refused=sum(client.refused for client in clients),
        broken=sum(client.broken for client in clients),
        cpu_s=time.process_time() - began_cpu,
    )


async def _ask(endpoint: Endpoint, body: bytes, connections: int, seconds: float) -> list[_Client]:
    parts = urlsplit(endpoint.url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {endpoint.wire.media}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in endpoint.wire.headers.items())
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    clients = [_Client(request) for _ in range(connections)]
    end = time.perf_counter() + seconds
    await asyncio.gather(*(each.ask_until(end, parts.hostname or "", parts.port or 80) for each in clients))
    return clients


class _Client:
    """One connection."""

    def __init__(self, request: bytes) -> None:
        self.took: list[float] = []
        """Seconds of each answer that came in time."""
        self.refused = 0
        self.broken = 0
        self._request = request

    async def ask_until(self, end: float, host: str, port: int) -> None:
        try:
            reader, writer = await asyncio.open_connection(host, port)
            try:
                while time.perf_counter() < end:
                    async with asyncio.timeout(_PATIENCE_S):
                        await self._ask_once(reader, writer, end)
            finally:
                writer.close()
        except (OSError, EOFError, TimeoutError):
            self.broken += 1

    async def _ask_once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: float) -> None:
        began = time.perf_counter()
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        now = time.perf_counter()
        if now <= end:
            self.took.append(now - began)
            self.refused += int(head[9:12]) >= 400
