"""A client's connection: the order of its answers, what it may send, and take its time for."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway.http.exchange import Exchange
from gateway.http.streaming import StreamedAnswer
from tests.gateway.connections import HEAD, Slow, http, post, read_answer
from tests.gateway.running import asynchronous


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
            answer = asyncio.create_task(read_answer(reader))
            with contextlib.suppress(ConnectionError):
                while not answer.done():
                    writer.write(flood)
                    await writer.drain()
                    await asyncio.sleep(0)
            assert (await answer)[0] == 431
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
async def test_what_is_refused_for_its_head_is_answered_before_its_body_has_come() -> None:
    async with http(None, body_s=1.0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"x" * 1000)[:-1])
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"connection: close" not in answer  # as it would be once the body took too long
        writer.close()


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
        exchange.on_leave = lambda _: gone.set()
        answer = StreamedAnswer(exchange, 200, [])
        sending.append(asyncio.create_task(answer.send(b"x" * 50_000_000)))

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


@asynchronous
async def test_a_request_that_came_behind_another_waits_for_its_turn() -> None:
    slow = Slow()
    async with http(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(post(b"%d" % number) for number in range(50)))
        for number in range(50):
            await slow.answer()
            assert await read_answer(reader) == (200, b"%d" % number)
        writer.close()


@asynchronous
async def test_a_client_that_reads_no_answers_gets_no_more_of_them_made() -> None:
    answered = 0

    def large(exchange: Exchange) -> None:
        nonlocal answered
        answered += 1
        exchange.respond(b"", 200, b"x" * 1_000_000)

    async with http(large) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(post(b"") * 1000)
        other, other_writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            other_writer.write(post(b""))
            await read_answer(other)
        assert answered < 30
        for _ in range(100):
            assert (await read_answer(reader))[0] == 200
        for each in (writer, other_writer):
            each.close()


@asynchronous
async def test_what_is_no_http_is_told_so_after_the_answers_to_what_came_before() -> None:
    slow = Slow()
    async with http(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"one") + b"nonsense\r\n\r\n")
        await slow.answer()
        assert await read_answer(reader) == (200, b"one")
        status, body = await read_answer(reader)
        assert (status, b"malformed_request" in body) == (400, True)
        assert await reader.read() == b""
        writer.close()


@asynchronous
async def test_a_body_whose_chunks_are_broken_is_refused() -> None:
    async with http() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno number\r\n")
        status, body = await read_answer(reader)
        assert (status, b"malformed_request" in body) == (400, True)
        assert await reader.read() == b""
        writer.close()


@asynchronous
async def test_a_head_is_bounded_also_where_it_comes_at_once() -> None:
    async with http(head_bytes=10_000) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"x: " + b"y" * 20_000 + b"\r\n\r\n")
        assert (await read_answer(reader))[0] == 431
        assert await reader.read() == b""
        writer.close()


@asynchronous
async def test_a_large_body_does_not_count_as_the_next_head() -> None:
    async with http(head_bytes=1000) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(post(b"x" * 500_000))
            assert (await read_answer(reader))[0] == 200
        writer.write(post(b"x" * 500_000) + HEAD)
        assert (await read_answer(reader))[0] == 200
        writer.write(b"\r\n")
        assert (await read_answer(reader))[0] == 200
        writer.close()


@asynchronous
async def test_nothing_is_answered_after_a_client_said_that_it_closes() -> None:
    asked = []

    def note(exchange: Exchange) -> None:
        asked.append(exchange.body)
        exchange.respond(b"", 200, b"")

    async with http(note) as port:
        old = b"POST / HTTP/1.0\r\nContent-Length: 4\r\n%b\r\nlast"
        for last in (post(b"last", b"Connection: close"), old % b"", old % b"Connection: keep-alive\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(last + post(b"more"))
            answer = await reader.read()
            assert b"\r\nconnection: close\r\n" in answer
            writer.close()
    assert asked == [b"last"] * 3


@asynchronous
async def test_a_client_that_asks_first_whether_to_send_its_body_is_told_to_when_its_turn_comes() -> None:
    slow = Slow()
    async with http(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head, body = post(b"two", b"Expect: 100-continue").split(b"\r\n\r\n")
        writer.write(post(b"one") + head + b"\r\n\r\n")
        await slow.answer()
        assert await read_answer(reader) == (200, b"one")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        await slow.answer()
        assert await read_answer(reader) == (200, b"two")
        writer.close()


@asynchronous
@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_has_no_body_gets_none(status: int) -> None:
    async def pieces(exchange: Exchange) -> None:
        answer = StreamedAnswer(exchange, status, [])
        await answer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        answer.end()

    tasks = []
    async with http(lambda it: tasks.append(asyncio.create_task(pieces(it)))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"") + post(b"", b"Connection: close"))
        answer = await reader.read()
        assert answer.count(b"HTTP/1.1 %d " % status) == answer.count(b"HTTP/1.1 ") == 2
        writer.close()


@asynchronous
async def test_what_follows_a_request_for_another_protocol_is_a_request() -> None:
    slow = Slow()
    async with http(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"", b"Connection: upgrade", b"Upgrade: h2c") + post(b"two"))
        for body in (b"", b"two"):
            await slow.answer()
            assert await read_answer(reader) == (200, body)
        writer.close()


@asynchronous
async def test_requests_behind_one_that_takes_its_time_are_left_with_the_client() -> None:
    async with http(Slow(), stop_timeout_s=0.1) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.set_write_buffer_limits(high=0)
        sent, patience_s = 0, 0.5
        with contextlib.suppress(TimeoutError):
            while sent < 100_000_000:
                writer.write(post(b"x" * 100) * 1000)
                await asyncio.wait_for(writer.drain(), patience_s)
                sent += 100_000
        assert sent < 100_000_000
        writer.transport.abort()


@asynchronous
async def test_a_stop_closes_connections_that_ask_nothing() -> None:
    async with http(stop_timeout_s=1000.0) as port:
        _, unused = await asyncio.open_connection("127.0.0.1", port)
        reader, used = await asyncio.open_connection("127.0.0.1", port)
        used.write(post(b""))
        await read_answer(reader)
    for writer in (unused, used):
        writer.close()


@asynchronous
async def test_answers_say_what_time_it_is_also_later() -> None:
    async with http() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def date() -> bytes:
            writer.write(HEAD + b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            return next(line for line in head.split(b"\r\n") if line.startswith(b"date: "))

        first = await date()
        while await date() == first:
            pass
        writer.close()
