"""Clients that send what they should not: each is answered or hung up on, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

import pytest

from gateway.http.exchange import Answerer, Exchange
from gateway.http.streaming import StreamedAnswer
from gateway.messages import Counted
from tests.gateway.connections import HEAD, Slow, hello, http, post, read_answer
from tests.gateway.running import answers, asynchronous, echoes, gateway
from tests.loader.pools import until

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


async def ask(port: int, request: bytes) -> bytes:
    """All that is said to `request` until the server closes; what it sends first is not lost to a reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@asynchronous
@pytest.mark.parametrize(
    "request_",
    [
        post(b"{}", b"Transfer-Encoding: chunked"),
        post(b"{}", b"Content-Length: 2"),
        post(b"{}", b"Content-Length: 3"),
        HEAD + b"Content-Length: +2\r\n\r\n{}",
        HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n{}",
        HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"X: a\r\n folded\r\n\r\n",
        HEAD + b"X: a\nY: b\r\n\r\n",
        HEAD + b"X: a\rY: b\r\n\r\n",
        HEAD + b"X : a\r\n\r\n",
        HEAD + b"X: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        CHUNKED + b"\r\n1\na\n0\n\n",
        CHUNKED + b"\r\n0x1\r\na\r\n0\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / a HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_two_servers_could_read_in_two_ways_is_refused(request_: bytes) -> None:
    async with http() as port:
        answer = await ask(port, request_ + post(b"smuggled"))
        # What llhttp finds wrong with a head that is complete it says after it was answered.
        assert answer.rsplit(b"HTTP/1.1 ", 1)[1].startswith(b"400 ")
        assert answer.count(b"HTTP/1.1 ") <= 2


@asynchronous
@pytest.mark.parametrize("version", [b" HTTP/0.9", b" HTTP/2.0", b""])
async def test_another_version_of_http_is_refused(version: bytes) -> None:
    async with http() as port:
        answer = await ask(port, b"POST /%b\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" % version + post(b"more"))
        assert answer.startswith(b"HTTP/1.1 505 ")
        assert b'{"error":{"code":"http_version_not_supported"' in answer
        assert b"\r\nconnection: close\r\n" in answer
        assert answer.count(b"\r\n\r\n") == 1


@asynchronous
async def test_what_follows_a_body_in_chunks_is_no_header() -> None:
    headers: list[bytes] = []

    def note(exchange: Exchange) -> None:
        headers.extend(name for name, _ in exchange.headers)
        exchange.respond(b"", 200, exchange.body)

    async with http(note) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED + b"\r\n1\r\na\r\n0\r\nX-Forwarded-For: nobody\r\n\r\n")
        assert await read_answer(reader) == (200, b"a")
        writer.close()
    assert headers == [b"host", b"transfer-encoding"]


@asynchronous
@pytest.mark.parametrize(
    ("begin", "flood"), [(b"0\r\n", b"x: yyyyyyyyyyyyyyyy\r\n" * 100), (b"1;", b"x" * 2000), (b"0\r\nx:", b"y" * 2000)]
)
async def test_what_stands_beside_a_body_is_bounded(begin: bytes, flood: bytes) -> None:
    async with http(head_bytes=10_000) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED + b"\r\n" + begin)
        answer = asyncio.create_task(read_answer(reader))
        with contextlib.suppress(ConnectionError):
            while not answer.done():
                writer.write(flood)
                await writer.drain()
                await asyncio.sleep(0)
        assert (await answer)[0] == 431
        writer.close()


@asynchronous
async def test_headers_are_bounded_in_number() -> None:
    async with http() as port:
        assert (await ask(port, HEAD + b"a:\r\n" * 10_000 + b"\r\n")).startswith(b"HTTP/1.1 431 ")


@asynchronous
async def test_a_body_in_small_pieces_takes_no_more_room_than_it_has_bytes() -> None:
    slow = Slow()
    async with http(slow) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = bytes(range(256)) * 800
        pieces = b"".join(b"2\r\n%b\r\n" % body[at : at + 2] for at in range(0, len(body), 2))
        writer.write(CHUNKED + b"\r\n" + pieces + b"0\r\n\r\n")
        exchange = await slow.asked.get()
        assert sum(map(sys.getsizeof, exchange._pieces)) < 1.5 * len(body)
        exchange.respond(b"", 200, exchange.body)
        assert await read_answer(reader) == (200, body)
        writer.close()


@asynchronous
async def test_requests_that_one_read_brings_are_bounded() -> None:
    slow = Slow()
    async with http(slow, pipelined=3) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(post(b"%d" % number) for number in range(50)))
        for number in range(3):
            await slow.answer()
            assert await read_answer(reader) == (200, b"%d" % number)
        assert (await read_answer(reader))[0] == 503
        assert await reader.read() == b""
        writer.close()


@asynchronous
async def test_many_wishes_for_another_protocol_are_answered_each() -> None:
    async with http(pipelined=10_000) as port:
        wish = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"
        last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert (await ask(port, wish * 2000 + last)).count(b"HTTP/1.1 200 ") == 2001


@asynchronous
async def test_who_is_told_that_no_more_is_read_can_read_why() -> None:
    async with http(head_bytes=10_000) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n" + b"x" * 10_000_000)
        assert (await read_answer(reader))[0] == 400
        assert await reader.read() == b""
        await writer.drain()
        writer.close()


@asynchronous
async def test_who_goes_on_sending_after_that_is_hung_up_on() -> None:
    async with http(parting_s=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n")
        assert (await read_answer(reader))[0] == 400
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 1000)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.transport.abort()


@asynchronous
async def test_nonsense_after_the_last_request_is_answered_by_nothing() -> None:
    async with http() as port:
        last = post(b"", b"Connection: close")
        assert (await ask(port, last + b"nonsense\r\n\r\n")).count(b"HTTP/1.1 ") == 1


@asynchronous
async def test_an_old_client_gets_neither_chunks_nor_a_hint_to_go_on() -> None:
    async def pieces(exchange: Exchange) -> None:
        answer = StreamedAnswer(exchange, 200, [])
        for piece in (b"one", b"two"):
            await answer.send(piece)
        answer.end()

    tasks = []
    async with http(lambda it: tasks.append(asyncio.create_task(pieces(it)))) as port:
        answer = await ask(port, b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
        head, body = answer.split(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"chunked" not in head
        assert body == b"onetwo"


class Broken:
    """Fails in the one way or the other, once."""

    def __init__(self, in_routing: bool) -> None:
        self._in_routing = in_routing
        self._is_mended = False

    def route(self, _: Exchange) -> Answerer:
        if self._in_routing:
            self._fail()
        return self._answer

    def _answer(self, exchange: Exchange) -> None:
        if not self._in_routing:
            self._fail()
        hello(exchange)

    def _fail(self) -> None:
        if not self._is_mended:
            self._is_mended = True
            raise ZeroDivisionError


@asynchronous
@pytest.mark.parametrize("in_routing", [True, False])
@pytest.mark.parametrize("before", [0, 1])
async def test_a_failure_of_ours_is_an_answer_like_another(in_routing: bool, before: int) -> None:
    async with http(application=Broken(in_routing)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(b"") * 3)
        statuses = [(await read_answer(reader))[0] for _ in range(3)]
        assert statuses == [500, 200, 200]
        writer.close()


@asynchronous
async def test_a_stop_answers_what_has_come_by_then(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        await running.serve(Echo=answers(b"{}"))
        streams = [await running.open() for _ in range(20)]
        request = b"POST /models/Echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
        for reader, writer in streams:
            writer.write(request)
            assert (await read_answer(reader))[0] == 200
        begun, begun_writer = await running.open()
        begun_writer.write(request[:20])
        reader, writer = streams[0]
        writer.write(request)
        assert (await read_answer(reader))[0] == 200  # so it has read what came before
        running.process.send_signal(signal.SIGSTOP)
        await until(lambda: is_stopped(running.process.pid))
        stopped = asyncio.create_task(running.stop())
        await asyncio.sleep(0)
        for _, writer in streams:
            writer.write(request)  # all there is fits into the socket's buffer at once
        running.process.send_signal(signal.SIGCONT)
        for reader, writer in streams:
            assert (await read_answer(reader))[0] == 200
            writer.close()
        begun_writer.write(request[20:])
        assert (await read_answer(begun))[0] == 200
        assert await begun.read() == b""
        begun_writer.close()
        assert await stopped == 0


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


_SEEDS = [
    b"POST /models/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /models/Echo/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{  \r\n1\r\n}\r\n0\r\nT: x\r\n\r\n",
    b"GET http://x/models/Echo?a=%20b HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"POST /models/Echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    b"HEAD /models/all HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nabc",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET //models/../-/x HTTP/1.1\r\nHost: x\r\nConnection: close, x-a\r\n\r\n",
]
_SCRAPS = [
    b"\r\n",
    b"\0",
    b"\xff",
    b" ",
    b":",
    b"0\r\n\r\n",
    b"chunked",
    b"close",
    b"99999999999999999999",
    b"-1",
    b"%00",
    b"%",
]


def _mutated(rng: random.Random) -> bytes:
    data = bytearray(b"".join(rng.choices(_SEEDS, k=rng.randint(1, 6))))
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(data))
        data[at : at + rng.choice((0, 0, 1, 4))] = rng.choice([*_SCRAPS, bytes([rng.randrange(256)])])
    return bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data))))])


@asynchronous
async def test_whatever_comes_is_answered_or_hung_up_on(tmp_path: Path) -> None:
    rng = random.Random(20)

    async def one(running_port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running_port)
        data = _mutated(rng)
        with contextlib.suppress(OSError):  # ENOTCONN too, from an end that comes after a reset
            while data:
                size = rng.choice((1, 7, 40, len(data), len(data)))
                writer.write(data[:size])
                await writer.drain()
                data = data[size:]
                await asyncio.sleep(0)
            if rng.random() < 0.8:
                writer.write_eof()
                await reader.read()
        writer.transport.abort()

    async with gateway(tmp_path, body_timeout_s=5.0) as running:
        await running.serve(Echo=echoes)
        for _ in range(40):
            await asyncio.gather(*(one(running.port) for _ in range(25)))
        async with running.client() as client:
            assert (await client.post("/models/Echo", json={})).status_code == 200
        running.heard.clear()
        counted = await running.hear(lambda message: isinstance(message, Counted))
        assert set(counted.outstanding.values()) == {0}
        assert await running.stop() == 0
