from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from tests.frames import Frame, NamedFrameReader
from tests.worker.processes import SECOND_NS, serving
from worker.wire.client import WorkerBusy, WorkerConnection, WorkerLost, connect
from worker.wire.frames import MAX_ANSWER, Format, Kind, pack_frame, pack_header

OTHER_FORMAT = 9
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def deadline() -> int:
    return time.monotonic_ns() + 60 * SECOND_NS


class Peer:
    """A worker's end, in the test's own hands."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._frames = NamedFrameReader(MAX_ANSWER)
        self._received: list[Frame] = []

    async def receive(self) -> Frame:
        while not self._received:
            data = await self._reader.read(1 << 20)
            assert data, "the client has closed"
            self._received += self._frames.named(data)
        return self._received.pop(0)

    def answer(self, id: int, body: bytes = b"{}", status: int = 200) -> None:
        self.writer.write(pack_frame(Kind.ANSWER, id, body, detail=status))


@contextlib.asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[tuple[WorkerConnection, Peer]]:
    peers: asyncio.Queue[Peer] = asyncio.Queue()
    server = await asyncio.start_unix_server(lambda r, w: peers.put_nowait(Peer(r, w)), folder / "socket")
    connection = await connect(str(folder / "socket"))
    peer = await peers.get()
    try:
        yield connection, peer
    finally:
        connection.close()
        await connection.wait_closed()
        peer.writer.close()
        server.close()


def test_answers_come_in_any_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            first, second = (asyncio.create_task(connection.request(body, deadline())) for body in (b"1", b"2"))
            frames = [await peer.receive(), await peer.receive()]
            assert connection.outstanding == 2
            for frame in reversed(frames):
                peer.answer(frame.id, b"to " + frame.body, status=200 + int(frame.body))
            assert await second == (202, b"to 2")
            assert await first == (201, b"to 1")
            assert connection.outstanding == 0

    uvloop.run(main())


class Recorder(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        """The end of the connection is told a tick later."""


def test_what_is_asked_in_one_tick_is_sent_sixteen_at_a_time() -> None:
    async def main() -> None:
        connection, transport = WorkerConnection(), Recorder()
        connection.connection_made(transport)
        tasks = [asyncio.create_task(connection.request(b"x" * 10, deadline())) for _ in range(40)]
        await asyncio.sleep(0)  # the tick in which all ask
        await asyncio.sleep(0)
        sent = [NamedFrameReader(MAX_ANSWER).named(data) for data in transport.written]
        assert [len(frames) for frames in sent] == [16, 16, 8]
        answers = [pack_frame(Kind.ANSWER, frame.id) for frames in sent for frame in frames]
        connection.data_received(b"".join(answers))
        assert len(await asyncio.gather(*tasks)) == 40

    uvloop.run(main())


def test_a_request_says_in_which_format_its_body_is() -> None:
    async def main() -> None:
        connection, transport = WorkerConnection(), Recorder()
        connection.connection_made(transport)
        connection.send(b"x", deadline(), Nobody(), Format.PAWL_JSON)
        connection.send(b"y", deadline(), Nobody(), OTHER_FORMAT)
        await asyncio.sleep(0)
        frames = NamedFrameReader(MAX_ANSWER).named(b"".join(transport.written))
        assert [(frame.kind, frame.detail, frame.body) for frame in frames] == [
            (Kind.REQUEST, Format.PAWL_JSON, b"x"),
            (Kind.REQUEST, OTHER_FORMAT, b"y"),
        ]

    uvloop.run(main())


def test_the_sixteenth_is_sent_before_the_tick_is_over() -> None:
    async def main() -> None:
        connection, transport = WorkerConnection(), Recorder()
        connection.connection_made(transport)
        for _ in range(15):
            connection.send(b"x", deadline(), Nobody())
        assert not transport.written
        connection.send(b"x", deadline(), Nobody())
        assert len(transport.written) == 1

    uvloop.run(main())


class Nobody:
    """Waits for an answer that never comes."""

    def answered(self, status: int, body: bytes, begun_ns: int) -> None:
        raise AssertionError

    def lost(self) -> None: ...


class Answered(Nobody):
    """Waits for an answer that comes."""

    def answered(self, status: int, body: bytes, begun_ns: int) -> None: ...


def test_ids_begin_anew_after_the_last_one_and_pass_over_those_outstanding() -> None:
    async def main() -> None:
        connection = WorkerConnection(most_id=3)
        connection.connection_made(Recorder())
        assert [connection.send(b"", deadline(), waiter) for waiter in (Nobody(), Nobody(), Answered())] == [1, 2, 3]
        connection.data_received(pack_frame(Kind.ANSWER, 3, b"{}", detail=200))
        assert [connection.send(b"", deadline(), Nobody()) for _ in range(2)] == [0, 3]

    uvloop.run(main())


def test_a_request_carries_its_deadline(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            task = asyncio.create_task(connection.request(b"", 12345))
            frame = await peer.receive()
            assert (frame.kind, frame.deadline_ns) == (Kind.REQUEST, 12345)
            peer.answer(frame.id)
            await task

    uvloop.run(main())


def test_a_cancelled_caller_tells_the_worker_and_hurts_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            gone, stays = (asyncio.create_task(connection.request(b"", deadline())) for _ in range(2))
            first, second = await peer.receive(), await peer.receive()
            gone.cancel()
            cancel = await peer.receive()
            assert (cancel.kind, cancel.id) == (Kind.CANCEL, first.id)
            assert connection.outstanding == 1
            peer.answer(first.id, b"too late")
            peer.answer(second.id, b"in time")
            assert (await stays).body == b"in time"
            assert gone.cancelled()

    uvloop.run(main())


def test_a_caller_cancelled_in_the_tick_in_which_his_answer_comes_hurts_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            gone, stays = (asyncio.create_task(connection.request(b"", deadline())) for _ in range(2))
            first, second = await peer.receive(), await peer.receive()
            gone.cancel()
            connection.data_received(pack_frame(Kind.ANSWER, first.id) + pack_frame(Kind.ANSWER, second.id, b"mine"))
            assert (await stays).body == b"mine"
            with pytest.raises(asyncio.CancelledError):
                await gone

    uvloop.run(main())


def test_every_outstanding_request_fails_once_when_the_connection_ends(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            tasks = [asyncio.create_task(connection.request(b"", deadline())) for _ in range(10)]
            for _ in tasks:
                await peer.receive()
            tasks[3].cancel()
            peer.writer.close()
            failures = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(each) for each in failures] == [WorkerLost] * 3 + [asyncio.CancelledError] + [WorkerLost] * 6
            assert connection.closed
            assert connection.outstanding == 0
            with pytest.raises(WorkerLost):
                await connection.request(b"", deadline())

    uvloop.run(main())


def test_a_worker_that_talks_nonsense_is_lost(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            task = asyncio.create_task(connection.request(b"", deadline()))
            peer.writer.write(pack_header(MAX_ANSWER + 1, 1, 0, 200, Kind.ANSWER))
            with pytest.raises(WorkerLost):
                await task

    uvloop.run(main())


def test_a_worker_that_talks_nonsense_is_asked_nothing_more_from_then_on() -> None:
    async def main() -> None:
        connection = WorkerConnection()
        connection.connection_made(Recorder())
        connection.data_received(pack_header(MAX_ANSWER + 1, 1, 0, 200, Kind.ANSWER))
        with pytest.raises(WorkerLost):  # so that the caller asks another worker
            connection.send(b"", deadline(), Nobody())

    uvloop.run(main())


def test_closing_sends_what_was_asked_before(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            task = asyncio.create_task(connection.request(b"last", deadline()))
            await asyncio.sleep(0)
            connection.close()
            assert (await peer.receive()).body == b"last"
            with pytest.raises(WorkerLost):
                await task

    uvloop.run(main())


def test_thousands_of_callers_of_a_real_worker_get_their_own_answers(tmp_path: Path) -> None:
    async def main(path: str) -> None:
        connection = await connect(path)
        bodies = [b'{"variables": {"id": %d}}' % id for id in range(3000)]
        tasks = [asyncio.create_task(connection.request(body, deadline())) for body in bodies]
        await asyncio.sleep(0)
        for task in tasks[::7]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for id, answer in enumerate(answers):
            if id % 7:
                assert answer == (200, b'{"id":%d}' % id)
            else:
                assert isinstance(answer, asyncio.CancelledError)
        connection.close()
        await connection.wait_closed()

    with serving(tmp_path, "class A:\n    def transform_predict(self, v): return v\n") as worker:
        uvloop.run(main(worker.config.socket))


class Fragile:
    """A waiter that fails in taking its answer."""

    def answered(self, status: int, body: bytes, begun_ns: int) -> None:
        raise ZeroDivisionError

    def lost(self) -> None:
        raise ZeroDivisionError


def test_one_that_fails_in_taking_its_answer_keeps_no_other_from_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        async with connected(tmp_path) as (connection, peer):
            id = connection.send(b"", deadline(), Fragile())
            other = asyncio.create_task(connection.request(b"", deadline()))
            frames = [await peer.receive(), await peer.receive()]
            peer.writer.write(b"".join(pack_frame(Kind.ANSWER, frame.id, b"{}", detail=200) for frame in frames))
            assert (await other).status == 200
            assert id == frames[0].id

            connection.send(b"", deadline(), Fragile())
            other = asyncio.create_task(connection.request(b"", deadline()))
            await peer.receive()
            peer.writer.close()
            with pytest.raises(WorkerLost):
                await other
            await connection.wait_closed()
        assert [type(each) for each in reported] == [ZeroDivisionError] * 2

    uvloop.run(asyncio.wait_for(main(), 60))


def test_a_worker_that_reads_nothing_and_sends_nonsense_is_hung_up_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            waiting = asyncio.create_task(connection.request(b"x" * 50_000_000, deadline()))
            await asyncio.sleep(0)
            peer.writer.write(pack_header(MAX_ANSWER + 1, 1, 0, 200, Kind.ANSWER))
            with pytest.raises(WorkerLost):
                await waiting
            await connection.wait_closed()

    uvloop.run(asyncio.wait_for(main(), 60))


def test_a_worker_that_reads_nothing_is_not_sent_ever_more_for_callers_that_leave(tmp_path: Path) -> None:
    async def main() -> None:
        async with connected(tmp_path) as (connection, peer):
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            with pytest.raises(WorkerBusy):
                await _ask_and_leave(connection, b"x" * 2**20, times=1000)
            peer.writer.transport.abort()

    uvloop.run(asyncio.wait_for(main(), 60))


async def _ask_and_leave(connection: WorkerConnection, body: bytes, times: int) -> None:
    for _ in range(times):
        connection.forget(connection.send(body, deadline(), Fragile()))
        await asyncio.sleep(0)
