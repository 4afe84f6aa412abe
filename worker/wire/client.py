"""A gateway's or the daemon's end of the frames: requests go to one worker, answers come back in any order."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol, cast

from .frames import MAX_ANSWER, Format, FrameError, FrameReader, Kind, pack_frame, pack_header

_REQUEST = Kind.REQUEST

_MOST_UNSENT = 512 * 2**20
"""Bytes that a worker has not taken, over which it is asked nothing more. Requests whose callers have gone are among
them, so no bound on those that are waited for holds here."""

MOST_ID = 2**32 - 1
"""After it, ids begin anew at 0."""

_SENT_TOGETHER = 16
"""Requests. With many clients one tick asks for more, and the worker can begin with the first while others are read."""


class WorkerLost(Exception):
    """The connection has ended, and with it every request on it."""


class WorkerBusy(Exception):
    """The worker is far behind in reading what it was sent."""


class Answer(NamedTuple):
    status: int
    body: bytes


class Waiter(Protocol):
    """Who waits for an answer: one of the two is called, once."""

    def answered(self, status: int, body: bytes, begun_ns: int) -> None:
        """`begun_ns`: when the worker began with the request, in `time.monotonic_ns()`; 0 where it did not."""

    def lost(self) -> None:
        """The connection has ended, and nobody knows how far the worker got."""


class WorkerConnection(asyncio.Protocol):
    """Requests outstanding at one worker. Those of one tick of the event loop are sent together, or a few at a time."""

    def __init__(self, most_id: int = MOST_ID) -> None:
        """`most_id`: one less than a power of two."""
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(MAX_ANSWER)
        self._waiting: dict[int, Waiter] = {}
        self._last_id = 0
        self._most_id = most_id
        self._unsent: list[bytes] = []
        self._is_behind = False
        """Whether the worker has not taken what it was sent."""
        self._is_retired = False
        self.closed = False
        """Whether no further request can be sent."""
        self._transport: asyncio.WriteTransport
        self._lost: asyncio.Future[None] = self._loop.create_future()

    @property
    def outstanding(self) -> int:
        return len(self._waiting)

    def send(self, body: bytes, deadline_ns: int, waiter: Waiter, format: int = Format.PAWL_JSON) -> int:
        """The id of the request that was sent. Raises WorkerLost and WorkerBusy."""
        if self.closed or self._is_retired:
            raise WorkerLost
        if self._is_behind:
            raise WorkerBusy
        id = self._last_id + 1 & self._most_id
        while id in self._waiting:
            id = id + 1 & self._most_id
        self._last_id = id
        self._waiting[id] = waiter
        header = pack_header(len(body), id, deadline_ns, format, _REQUEST)
        self._write(header, body) if body else self._write(header)  # asyncio 3.13 never gets an empty part sent
        if len(self._unsent) >= 2 * _SENT_TOGETHER:
            self._flush()
        return id

    def forget(self, id: int) -> None:
        """Nobody waits for that answer any more: tell the worker so."""
        if self._waiting.pop(id, None) is not None and not self.closed:
            self._write(pack_frame(Kind.CANCEL, id))
            self._close_if_over()

    async def request(self, body: bytes, deadline_ns: int) -> Answer:
        """The worker's answer to `body`. Raises as `send` does; a caller that is cancelled tells the worker so."""
        waiter = _Future(self._loop.create_future())
        id = self.send(body, deadline_ns, waiter)
        try:
            return await waiter.answer
        finally:
            self.forget(id)

    def close(self) -> None:
        """End the connection once the worker has read what it was sent; what is outstanding then gets WorkerLost."""
        self._flush()
        self.closed = True
        self._transport.close()

    def retire(self) -> None:
        """Send nothing more, and close once nothing is outstanding."""
        self._is_retired = True
        self._close_if_over()

    async def wait_closed(self) -> None:
        """Return once the connection has ended, from either side."""
        await asyncio.shield(self._lost)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.set_write_buffer_limits(high=_MOST_UNSENT)

    def pause_writing(self) -> None:
        self._is_behind = True

    def resume_writing(self) -> None:
        self._is_behind = False

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._reader.feed(data)
        except FrameError:
            self.closed = True
            self._transport.abort()  # to close would be to wait until the worker has read everything, for ever maybe
            return
        for id, begun_ns, status, _, body in frames:
            waiter = self._waiting.pop(id, None)
            if waiter is not None:
                try:
                    waiter.answered(status, body, begun_ns)
                except Exception as error:
                    self._report(error)
        self._close_if_over()

    def eof_received(self) -> None:
        self.closed = True

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        waiting, self._waiting = self._waiting, {}
        if not self._lost.done():
            self._lost.set_result(None)
        for waiter in waiting.values():
            try:
                waiter.lost()
            except Exception as error:
                self._report(error)

    def _close_if_over(self) -> None:
        if self._is_retired and not self._waiting and not self.closed:
            self.close()

    def _report(self, error: Exception) -> None:
        """If one fails in taking its answer, the others get theirs all the same."""
        self._loop.call_exception_handler({"message": "a failure in taking a worker's answer", "exception": error})

    def _write(self, *parts: bytes) -> None:
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += parts

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and not self.closed:
            self._transport.writelines(unsent)


class _Future:
    """A waiter that is waited for."""

    def __init__(self, answer: asyncio.Future[Answer]) -> None:
        self.answer = answer

    def answered(self, status: int, body: bytes, begun_ns: int) -> None:
        # Whoever waits may have been cancelled in this very tick, and not have run since.
        if not self.answer.done():
            self.answer.set_result(Answer(status, body))

    def lost(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(WorkerLost())


async def connect(path: str) -> WorkerConnection:
    """Connect to the worker that listens at `path`. Raises OSError."""
    _, connection = await asyncio.get_running_loop().create_unix_connection(WorkerConnection, path)
    return connection
