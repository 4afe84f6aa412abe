"""Requests that come at a fixed rate, whether or not those before them were answered.

wrk can't do that: it asks again only when it has been answered, so it never overloads anyone for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import uvloop

_TICK_S = 0.001
_PATIENCE_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """What became of one request; times are in seconds from the beginning."""

    due: float
    answered: float
    status: int
    """0: the connection was lost, or given up."""

    @property
    def took(self) -> float:
        """Counted from when it was due, so that a generator that lags hides nothing."""
        return self.answered - self.due


def arrive(url: str, body: bytes, rate: float, seconds: float) -> list[Arrival]:
    """POST `body` so many times a second for so long, and wait for half a minute longer; what became of each."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_arrive(url, body, rate, seconds))


async def _arrive(url: str, body: bytes, rate: float, seconds: float) -> list[Arrival]:
    clients = _Clients(url, body)
    began, sent, total = time.perf_counter(), 0, round(rate * seconds)
    while sent < total:
        for number in range(sent, min(total, int((time.perf_counter() - began) * rate) + 1)):
            clients.ask(began, began + number / rate)
            sent = number + 1
        await asyncio.sleep(_TICK_S)
    try:
        await clients.wait()
    finally:
        clients.close()
        await asyncio.sleep(0)  # so that those that are given up count as lost
    return clients.arrivals


class _Clients:
    """Connections, as many as there are requests under way."""

    def __init__(self, url: str, body: bytes) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self.request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.idle: list[_Client] = []
        self.connected: set[_Client] = set()
        self.arrivals: list[Arrival] = []
        self._opening: dict[asyncio.Task[None], float] = {}
        """When each of the requests was due for which a connection is being made."""
        self._under_way = 0
        self._all_asked = False
        self._done = asyncio.Event()

    def ask(self, began: float, due: float) -> None:
        self._under_way += 1
        if self.idle:
            self.idle.pop().ask(began, due)
        else:
            task = asyncio.create_task(self._open(began, due), name="open a connection")
            self._opening[task] = due - began
            task.add_done_callback(lambda done: self._opening.pop(done, None))

    async def _open(self, began: float, due: float) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(lambda: _Client(self), self._host, self._port)
        except OSError:
            self.answered(Arrival(due - began, time.perf_counter() - began, 0))
        else:
            client.ask(began, due)

    def answered(self, arrival: Arrival) -> None:
        self._under_way -= 1
        self.arrivals.append(arrival)
        if self._all_asked and not self._under_way:
            self._done.set()

    def close(self) -> None:
        """Give up what is under way."""
        for client in list(self.connected):
            client.close()
        for task, due in list(self._opening.items()):
            task.cancel()
            self.answered(Arrival(due, due + _PATIENCE_S, 0))

    async def wait(self) -> None:
        """Return when all are answered, or nobody waits any longer."""
        self._all_asked = True
        if self._under_way:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), _PATIENCE_S)


class _Client(asyncio.Protocol):
    """One connection, with one request under way at a time."""

    def __init__(self, clients: _Clients) -> None:
        self._clients = clients
        self._received = b""
        self._asked: tuple[float, float] | None = None
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._clients.connected.add(self)

    def close(self) -> None:
        self._transport.abort()

    def ask(self, began: float, due: float) -> None:
        self._asked = began, due
        self._transport.write(self._clients.request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and length and len(rest) >= int(length.group(1)):
            self._received = b""
            self._end(int(head[9:12]))
            self._clients.idle.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._clients.connected.discard(self)
        if self in self._clients.idle:
            self._clients.idle.remove(self)
        self._end(0)

    def _end(self, status: int) -> None:
        if self._asked is not None:
            (began, due), self._asked = self._asked, None
            self._clients.answered(Arrival(due - began, time.perf_counter() - began, status))
