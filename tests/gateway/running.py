"""A real gateway process in front of workers that do as a test says."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.messages import (
    Acknowledged,
    Counted,
    FromGateway,
    GatewayConfig,
    Route,
    Start,
    Stop,
    Table,
    decode_from_gateway,
    encode_message,
)
from tests.frames import Frame, NamedFrameReader
from worker.wire.frames import Kind, pack_frame

ROOT = Path(__file__).parents[2]
PATIENCE_S = 100.0
COMMIT = "0123456789abcdef0123456789abcdef01234567"

Reply = Callable[[Frame], Awaitable[tuple[int, bytes]]]
"""What a worker does with a request: a status and a body, whenever the coroutine returns."""


class Worker:
    """The worker's end of the frames, at a Unix socket."""

    def __init__(self, path: Path, reply: Reply) -> None:
        self.path = str(path)
        self.requests: list[Frame] = []
        self.cancelled: asyncio.Queue[int] = asyncio.Queue()
        self.connections: set[asyncio.StreamWriter] = set()
        self.connected = asyncio.Event()
        self.left = asyncio.Event()
        """The last connection has closed."""
        self.reply = reply
        self._requested = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        """Vanish, as a process that is killed does."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in list(self.connections):
            writer.transport.abort()
        Path(self.path).unlink(missing_ok=True)

    async def wait_for_requests(self, count: int) -> None:
        """Return once `count` requests have come in all."""
        async with self._requested:
            await self._requested.wait_for(lambda: len(self.requests) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        self.connected.set()
        self.left.clear()
        frames = NamedFrameReader(1 << 30)
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                for frame in frames.named(data):
                    await self._take(frame, writer)
        self.connections.discard(writer)
        writer.close()
        if not self.connections:
            self.left.set()

    async def _take(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        if frame.kind == Kind.CANCEL:
            self.cancelled.put_nowait(frame.id)
            return
        task = asyncio.create_task(self._answer(frame, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        async with self._requested:
            self.requests.append(frame)
            self._requested.notify_all()

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        begun_ns = time.monotonic_ns()
        status, body = await self.reply(frame)
        writer.write(pack_frame(Kind.ANSWER, frame.id, body, detail=status, deadline_ns=begun_ns))


def answers(body: bytes, status: int = 200) -> Reply:
    """A worker that says the same to everybody."""

    async def reply(_: Frame) -> tuple[int, bytes]:
        return status, body

    return reply


def asynchronous(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that is a coroutine, and ends."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE_S))

    return run


async def echoes(frame: Frame) -> tuple[int, bytes]:
    """A worker that answers with what it was sent."""
    return 200, frame.body or b"null"


async def hangs(_: Frame) -> tuple[int, bytes]:
    """A worker that answers nobody."""
    await asyncio.Event().wait()
    raise AssertionError


class Gate:
    """A worker that answers nobody until it is opened."""

    def __init__(self, body: bytes = b'"late"') -> None:
        self._body = body
        self.opened = asyncio.Event()

    async def __call__(self, _: Frame) -> tuple[int, bytes]:
        await self.opened.wait()
        return 200, self._body


class Gateway:
    """A gateway process and the daemon's end of its channel."""

    def __init__(
        self,
        folder: Path,
        process: asyncio.subprocess.Process,
        listener: socket.socket,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.folder = folder
        self.process = process
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        self._reader, self._writer = streams
        self._news: asyncio.Condition = asyncio.Condition()
        self.heard: list[FromGateway] = []
        self.workers: list[Worker] = []
        self._has_ended = False
        self.table = Table(serial=0, ready=True)
        self._listening = asyncio.create_task(self._listen())

    def send(self, message: msgspec.Struct) -> None:
        self._writer.write(encode_message(message))

    async def route(self, **changes: Any) -> None:
        """Put the table with these changes in force."""
        self.table = msgspec.structs.replace(self.table, serial=self.table.serial + 1, **changes)
        self.send(self.table)
        assert await self.hear(lambda message: message == Acknowledged(serial=self.table.serial))

    async def serve(self, **replies: Reply) -> list[Worker]:
        """Serve one model for each of `replies`, at v1, beside what is served already."""
        return [await self._serve_one(model, reply) for model, reply in replies.items()]

    async def _serve_one(self, model: str, reply: Reply) -> Worker:
        worker = await self.worker(reply)
        await self.route(
            live={**self.table.live, model: route(model, pool=worker.path)},
            pools={**self.table.pools, worker.path: (worker.path,)},
        )
        return worker

    async def worker(self, reply: Reply) -> Worker:
        """A worker that is in no table yet."""
        worker = Worker(self.folder / f"w{len(self.workers)}", reply)
        await worker.start()
        self.workers.append(worker)
        return worker

    async def hear(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message that is wanted, of those that came and those that will; None if the gateway ends first."""
        async with self._news:
            await self._news.wait_for(lambda: any(map(wanted, self.heard)) or self._has_ended)
        return next(message for message in (*self.heard, None) if message is None or wanted(message))

    async def hear_start(self) -> Start:
        message: Start = await self.hear(lambda message: isinstance(message, Start))
        return message

    async def hear_counts(self, name: str) -> Counted:
        """The first message that counts answers of `name` (`Model/vN`)."""
        message: Counted = await self.hear(lambda message: isinstance(message, Counted) and name in message.names)
        return message

    def counted(self, name: str) -> dict[int, int]:
        """Answers of `name` by status, in all messages so far."""
        total: Counter[int] = Counter()
        for message in self.heard:
            if isinstance(message, Counted):
                total.update(statuses_in(message, name))
        return dict(total)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A raw connection to its HTTP port."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=100, trust_env=False, **options)

    async def stop(self) -> int:
        """Its exit code, after it was asked to stop."""
        self.send(Stop())
        return await self.process.wait()

    def hang_up(self) -> None:
        """Be gone, as a daemon that is killed is."""
        self._writer.close()

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        for worker in self.workers:
            await worker.close()
        self._listening.cancel()
        self._writer.close()
        self.listener.close()

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionResetError):  # it ended without having read what it was sent
            async for line in self._reader:
                async with self._news:
                    self.heard.append(decode_from_gateway(line))
                    self._news.notify_all()
        async with self._news:
            self._has_ended = True
            self._news.notify_all()


def statuses_in(counted: Counted, name: str) -> dict[int, int]:
    """Answers of `name` (`Model/vN`) by status, whatever role it answered in."""
    total: Counter[int] = Counter()
    for series, bucket in ((tallied.series, tallied.bucket) for tallied in counted.tallies):
        if f"{series.model}/{series.version}" == name:
            total.update(bucket.statuses)
    return dict(total)


@contextlib.asynccontextmanager
async def gateway(folder: Path, **config: Any) -> AsyncIterator[Gateway]:
    """A gateway with an empty table in force."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "gateway", str(listener.fileno()), str(theirs.fileno())),
            pass_fds=(listener.fileno(), theirs.fileno()),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    running = Gateway(folder, process, listener, await asyncio.open_unix_connection(sock=ours, limit=1 << 26))
    try:
        running.send(_config(folder, **config))
        await running.route()
        yield running
    finally:
        await running.close()


def _config(folder: Path, **changes: Any) -> GatewayConfig:
    defaults = {"base": "/models", "daemon": str(folder / "daemon"), "max_body": 1 << 20, "max_buffered": 1 << 24}
    return GatewayConfig(**{**defaults, "body_timeout_s": 30.0, **changes})


def route(model: str, **changes: Any) -> Route:
    return Route(**{"model": model, "version": "v1", "commit": COMMIT, "pool": model, **changes})
