"""The gateways: started on the daemon's listening socket, given every table, replaced when they fail."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from core.process.ends import end_of
from core.task import spawn
from gateway.messages import Counted, FromGateway, GatewayConfig, Start, Started, Stop, Table
from server.gateways.gateway import Gateway
from worker.wire.spans import Span, Traced

log = logging.getLogger("pawl.gateway")

_WATCH_S = 1.0
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0


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
