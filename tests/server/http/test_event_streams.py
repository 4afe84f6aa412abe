from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.http.event_streams import EventStreams, SentEvent, TooManyStreams
from server.http.replies import Streamed


async def one_and_then_nothing(ended: asyncio.Event) -> AsyncIterator[SentEvent]:
    try:
        yield SentEvent(id="1\nevil: 1", event="a b", data={"line": "x\ny"})
        await asyncio.Event().wait()
    finally:
        ended.set()


async def none() -> AsyncIterator[SentEvent]:
    return
    yield


def pieces(answer: object) -> AsyncIterator[bytes]:
    assert isinstance(answer, Streamed)
    return answer.body_iterator  # type: ignore[return-value]


def test_events_are_sent_with_comments_between_them_until_the_client_goes() -> None:
    async def test() -> None:
        ended = asyncio.Event()
        stream = pieces(EventStreams(comment_s=0.01).answer(one_and_then_nothing(ended)))
        assert (await anext(stream)).startswith(b"retry: ")
        assert await anext(stream) == b'id: 1evil:1\nevent: ab\ndata: {"line":"x\\ny"}\n\n'
        assert [await anext(stream) for _ in range(3)] == [b": still here\n\n"] * 3
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(ended.wait(), 100)

    asyncio.run(test())


def test_a_stream_ends_with_its_events_or_after_long() -> None:
    async def test() -> None:
        assert len([piece async for piece in pieces(EventStreams().answer(none()))]) == 1
        streams = EventStreams(comment_s=0.01, longest_s=0.05)
        told = [piece async for piece in pieces(streams.answer(one_and_then_nothing(asyncio.Event())))]
        assert told[-1] == b": still here\n\n"

    asyncio.run(test())


def test_a_stream_ends_once_its_reader_may_read_no_more() -> None:
    async def test() -> None:
        may = True
        stream = pieces(EventStreams(comment_s=0.01).answer(one_and_then_nothing(asyncio.Event()), lambda: may))
        assert len([await anext(stream) for _ in range(3)]) == 3
        may = False
        assert [piece async for piece in stream] == []
        unread = EventStreams().answer(one_and_then_nothing(asyncio.Event()), lambda: may)
        assert b"data" not in b"".join([piece async for piece in pieces(unread)])

    asyncio.run(test())


def test_only_so_many_are_open_and_one_that_is_over_makes_room() -> None:
    async def test() -> None:
        streams = EventStreams(most=2)
        first = streams.answer(none())
        streams.answer(none())
        with pytest.raises(TooManyStreams):
            streams.answer(none())

        async def receive() -> dict[str, object]:
            await asyncio.Event().wait()
            return {}

        async def send(message: object) -> None:
            pass

        await first({"type": "http"}, receive, send)  # type: ignore[arg-type]
        streams.answer(none())

    asyncio.run(test())
