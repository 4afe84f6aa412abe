"""The gateway processes: started on the daemon's listening socket, given every table, replaced when they fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import server
from core.broadcast import Broadcast
from core.process.ends import end_of, ends_within
from core.task import spawn
from gateway.messages import (
    Acknowledged,
    Counted,
    FromGateway,
    GatewayConfig,
    Start,
    Started,
    Stop,
    Table,
    TableRejected,
    decode_from_gateway,
    encode_message,
)
from server.gateways.channel import JsonLines
from worker.wire.spans import Span, Traced

log = logging.getLogger("pawl.gateway")

ROOT = Path(server.__file__).parents[1]
ACKNOWLEDGE_S = 5.0
"""A gateway that has not taken a table by then is replaced."""
SILENT_S = 10.0
"""A gateway that has said nothing for as long hangs, and is replaced."""
START_S = 30.0
"""The same for one that has yet to take its first table: on a busy machine Python may take long to start."""
_WATCH_S = 1.0
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0


class Gateway:
    """One gateway process."""

    def __init__(
        self, process: subprocess.Popen[bytes], lines: JsonLines, acknowledge_s: float = ACKNOWLEDGE_S
    ) -> None:
        self.process = process
        self.acknowledged = -1
        """Serial of the newest table that it routes by; negative before it serves."""
        self.heard = time.monotonic()
        self._sent = -1
        """Serial of the newest table that was sent."""
        self._offered: Table | None = None
        """A newer one, which is sent once that one is acknowledged: tables that come faster are left out."""
        self._lines = lines
        self._acknowledge_s = acknowledge_s
        self._news = Broadcast()

    @classmethod
    async def start(cls, listener: socket.socket, config: GatewayConfig, environ: Mapping[str, str]) -> Gateway:
        lines = await JsonLines.open()
        with lines.theirs as theirs:
            process = _run(listener, theirs, environ)
        gateway = cls(process, lines)
        gateway.send(config)
        return gateway

    def send(self, message: GatewayConfig | Table | Started | Stop) -> None:
        self._lines.send(encode_message(message))

    def offer(self, table: Table) -> None:
        """Have it route by the table, or by a newer one."""
        if self.acknowledged < self._sent:
            self._offered = table
        else:
            self._sent, self._offered = table.serial, None
            self.send(table)

    async def listen(self, take: Callable[[Gateway, FromGateway], None]) -> None:
        """Take its messages until it ends."""
        try:
            async for line in self._lines:
                self.heard = time.monotonic()
                message = decode_from_gateway(line)
                if isinstance(message, TableRejected):
                    log.error("gateway %d keeps the route table that it has: %s", self.process.pid, message.why)
                if isinstance(message, Acknowledged | TableRejected):
                    self._take_acknowledgement(message.serial)
                else:
                    take(self, message)
            await self._end()
        finally:
            self.close()

    def close(self) -> None:
        """Close our end of the channel."""
        self._lines.close()

    async def _end(self) -> None:
        """It has closed its channel, so it ends, or is ended."""
        if not await ends_within(self.process, self._acknowledge_s):
            self.kill()
            await end_of(self.process)
        self._offered = None
        self._take_acknowledgement(sys.maxsize)

    def is_silent(self, now: float) -> bool:
        """Whether it has said nothing for longer than one that works would."""
        return now - self.heard > (START_S if self.acknowledged < 0 else SILENT_S)

    async def routes_by(self, serial: int) -> None:
        """Return once it routes by the table of that serial, or has ended. Ends it if it takes too long over one."""
        try:
            while self.acknowledged < serial:
                patience_s = START_S if self.acknowledged < 0 else self._acknowledge_s
                async with asyncio.timeout(patience_s):  # not wait_for, which would begin to wait a turn later
                    await self._news.wait()
        except TimeoutError:
            log.error("gateway %d did not take a new route table in %g s; replacing it", self.process.pid, patience_s)
            self.kill()
            await end_of(self.process)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)

    async def stop(self, timeout_s: float) -> None:
        """Let it finish what is in flight."""
        self.send(Stop())
        if not await ends_within(self.process, timeout_s):
            log.warning("gateway %d still had requests after %g s and was ended", self.process.pid, timeout_s)
            self.kill()
            await end_of(self.process)

    def _take_acknowledgement(self, serial: int) -> None:
        self.acknowledged = max(self.acknowledged, serial)
        self._news.send()
        if self._offered is not None:
            self.offer(self._offered)


@dataclass(frozen=True)
class Handlers:
    """Who is told what gateways say."""

    open_version: Callable[[Start], asyncio.Future[Started]]
    """Opens a version that no table has, and answers for it."""
    counted: Callable[[Counted], None]
    lost: Callable[[str], None]
    """Of a gateway that ended, in words."""
    traced: Callable[[list[Span]], object] = list
    """Of requests that are traced."""


class Gateways:
    """As many gateways as were asked for, all of the time."""

    def __init__(self, count: int, start: Callable[[], Awaitable[Gateway]], config: GatewayConfig) -> None:
        """`start` starts one, or raises OSError."""
        self._count = count
        self._start = start
        self._config = config
        self._table = Table(serial=0)
        self._stopping = False
        self._running: set[Gateway] = set()
        self._answers: set[asyncio.Future[Started]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def running(self) -> frozenset[Gateway]:
        return frozenset(self._running)

    def start(self, handlers: Handlers) -> None:
        self._tasks = [spawn(self._keep(handlers), f"replacement of gateway {n}") for n in range(self._count)]
        self._tasks.append(spawn(self._watch(), "watch of the gateways"))

    async def route_by(self, table: Table) -> None:
        """Hand out the table; return once every gateway routes by it."""
        self._table = table
        for gateway in self._running:
            gateway.offer(table)
        await asyncio.gather(*(gateway.routes_by(table.serial) for gateway in list(self._running)))

    async def stop(self) -> None:
        """Let all of them finish what is in flight; they are listened to until then."""
        self._stopping = True
        await asyncio.gather(*(gateway.stop(self._config.stop_timeout_s + 1) for gateway in list(self._running)))
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _keep(self, handlers: Handlers) -> None:
        """Keep one gateway running."""
        pause_s = _PAUSE_S
        while True:
            began = time.monotonic()
            ended = await self._run_one(handlers)
            if self._stopping:
                return
            handlers.lost(f"{ended}; another takes its place")
            pause_s = _PAUSE_S if time.monotonic() - began > _LONGEST_PAUSE_S else min(pause_s * 2, _LONGEST_PAUSE_S)
            if pause_s > _PAUSE_S * 2:
                await asyncio.sleep(pause_s)

    async def _run_one(self, handlers: Handlers) -> str:
        """Run a gateway to its end, or fail to; in words."""
        try:
            gateway = await self._start()
        except OSError as error:
            return f"a gateway could not be started: {error}"
        self._running.add(gateway)
        gateway.offer(self._table)
        if self._stopping:
            gateway.send(Stop())
        try:
            await gateway.listen(partial(self._take, handlers))
        except Exception:
            log.exception("gateway %d said what can't be understood; replacing it", gateway.process.pid)
            gateway.kill()
        self._running.discard(gateway)
        return f"gateway {gateway.process.pid} ended ({await end_of(gateway.process)})"

    async def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_WATCH_S)
            now = time.monotonic()
            if now - looked < 2 * _WATCH_S:  # else it was us who hung, and what they said is still to be read
                for gateway in [gateway for gateway in self._running if gateway.is_silent(now)]:
                    log.error("gateway %d has been silent for long; replacing it", gateway.process.pid)
                    gateway.kill()
            looked = now

    def _take(self, handlers: Handlers, gateway: Gateway, message: FromGateway) -> None:
        match message:
            case Counted():
                handlers.counted(message)
            case Traced(spans):
                handlers.traced(spans)
            case Start():
                answer = handlers.open_version(message)
                self._answers.add(answer)
                answer.add_done_callback(lambda done: self._answer(gateway, done))

    def _answer(self, gateway: Gateway, answer: asyncio.Future[Started]) -> None:
        self._answers.discard(answer)
        if not answer.cancelled():
            gateway.send(answer.result())


def _run(listener: socket.socket, channel: socket.socket, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", str(listener.fileno()), str(channel.fileno())],
        cwd=ROOT,
        env=environ,
        pass_fds=(listener.fileno(), channel.fileno()),
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # signals to our group are ours: a gateway stops when it is told
    )
