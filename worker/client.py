"""A gateway's or the daemon's end of the frames: requests go to one worker, answers come back in any order."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

from .protocol import HEADER, MAX_ANSWER, FrameError, FrameReader, Kind, pack_frame


class WorkerLost(Exception):
    """The connection has ended, and with it every request on it."""


class Answer(NamedTuple):
    status: int
    body: bytes


class WorkerConnection(asyncio.Protocol):
    """Requests outstanding at one worker. What is asked in one tick of the event loop is sent together."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(MAX_ANSWER)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last_id = 0
        self._unsent: list[bytes] = []
        self._transport: asyncio.WriteTransport
        self._lost: asyncio.Future[None] = self._loop.create_future()

    @property
    def outstanding(self) -> int:
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether no further request can be sent."""
        return self._transport.is_closing() or self._lost.done()

    async def request(self, body: bytes, deadline_ns: int) -> Answer:
        """The worker's answer to `body`. Raises WorkerLost; a caller that is cancelled tells the worker so."""
        if self.closed:
            raise WorkerLost
        id = self._free_id()
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[id] = answer
        self._send(HEADER.pack(len(body), id, deadline_ns, 0, Kind.REQUEST), body)
        try:
            return await answer
        except asyncio.CancelledError:
            if self._waiting.pop(id, None) is not None and not self.closed:
                self._send(pack_frame(Kind.CANCEL, id))
            raise

    def close(self) -> None:
        """Ends the connection; what is still outstanding gets WorkerLost."""
        self._flush()
        self._transport.close()

    async def wait_closed(self) -> None:
        """Return once the connection has ended, from either side."""
        await asyncio.shield(self._lost)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._reader.feed(data):
                answer = self._waiting.pop(frame.id, None)
                # Its caller may have been cancelled in this very tick, and not have run since.
                if answer is not None and not answer.done():
                    answer.set_result(Answer(frame.status, frame.body))
        except FrameError:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(WorkerLost())
        if not self._lost.done():
            self._lost.set_result(None)

    def _send(self, *parts: bytes) -> None:
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += parts

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and not self.closed:
            self._transport.write(b"".join(unsent))

    def _free_id(self) -> int:
        id = self._last_id
        while True:
            id = id + 1 & 0xFFFFFFFF
            if id not in self._waiting:
                self._last_id = id
                return id


async def connect(path: str) -> WorkerConnection:
    """Connect to the worker that listens at `path`. Raises OSError."""
    _, connection = await asyncio.get_running_loop().create_unix_connection(WorkerConnection, path)
    return connection
