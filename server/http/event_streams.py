"""Answers that go on: server-sent events, a bounded number of streams at one time.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.responses import Response

from core.errors import PawlError
from server.http.replies import Streamed

MOST = 32
COMMENT_S = 15.0
"""Between two comments, by which those between us and the client see that the stream is alive."""
_LONGEST_S = 3600.0
"""Then the client asks again, from where it was: with a key that may have been revoked meanwhile."""
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


class TooManyStreams(PawlError):
    """As many streams are open as may be at one time."""


class SentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a stream."""

    id: str
    """What the client sends as `Last-Event-ID` when it comes back."""
    event: str
    data: Any

    def encode(self) -> bytes:
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (
            _one_line(self.id),
            _one_line(self.event),
            msgspec.json.encode(self.data),
        )


class EventStreams:
    """All the streams of one daemon, as a part of it: its stop ends them, since nobody would wait for their end."""

    def __init__(self, most: int = MOST, comment_s: float = COMMENT_S, longest_s: float = _LONGEST_S) -> None:
        self._most = most
        self._comment_s = comment_s
        self._longest_s = longest_s
        self._open = 0
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Streams are opened by those who ask."""

    async def stop(self) -> None:
        self._stopped.set()

    def take(self) -> None:
        """One more; `give_back` it. Raises TooManyStreams."""
        if self._open >= self._most:
            raise TooManyStreams(f"{self._most} streams are open already; close one, or ask again later")
        self._open += 1

    def give_back(self) -> None:
        self._open -= 1

    def answer(self, events: AsyncIterator[SentEvent], may_go_on: Callable[[], bool] = lambda: True) -> Response:
        """The events, as they come, while `may_go_on`: the key may be revoked meanwhile. Raises TooManyStreams."""
        self.take()
        written = self._written(events, may_go_on)
        return Streamed(written, media_type="text/event-stream", headers=_HEADERS, done=self.give_back)

    async def _written(self, events: AsyncIterator[SentEvent], may_go_on: Callable[[], bool]) -> AsyncIterator[bytes]:
        """With a comment first, so that the client sees that it is connected."""
        yield b"retry: 2000\n: connected\n\n"
        end = asyncio.get_running_loop().time() + self._longest_s
        coming: asyncio.Task[SentEvent] | None = None
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            while asyncio.get_running_loop().time() < end and not stopped.done():
                coming = coming or asyncio.ensure_future(_next(events))
                await asyncio.wait({coming, stopped}, timeout=self._comment_s, return_when=asyncio.FIRST_COMPLETED)
                if stopped.done() or not may_go_on():
                    return
                if not coming.done():
                    yield b": still here\n\n"
                    continue
                try:
                    sent = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                yield sent.encode()
        finally:
            going_on = {task for task in (coming, stopped) if task is not None}
            for task in going_on:
                task.cancel()
            await asyncio.wait(going_on)


async def _next(events: AsyncIterator[SentEvent]) -> SentEvent:
    return await anext(events)


def _one_line(text: str) -> bytes:
    return "".join(text.split()).encode()
