"""A gateway put together: the channel to the daemon, the route tables it sends, and the HTTP server that uses them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Mapping

from gateway.counts import Counts
from gateway.daemon_channel import DaemonChannel, DaemonLost, MessageUnreadable
from gateway.http.bodies import BodyBudget
from gateway.http.cors import Cors
from gateway.http.limits import Limits
from gateway.http.server import HttpServer
from gateway.messages import Acknowledged, GatewayConfig, Started, Stop, Table, TableRejected, ToGateway
from gateway.routes.application import Application
from gateway.routes.current import CurrentTable
from gateway.routes.dispatch import Dispatch
from gateway.routes.forwarding import Forwarding
from gateway.routes.scoring import Scoring, TracedScoring
from gateway.routes.version_starts import VersionStarts
from gateway.tracing.tracer import Tracer
from worker.wire.memory import MOST_KEPT, give_back, private_memory
from worker.wire.spans import Traced

log = logging.getLogger(__name__)

_REPORT_S = 1.0
"""Seconds between two messages with counts."""
_RETURN_MEMORY_S = 5.0
"""Seconds between two checks of how much memory large bodies have left allocated."""
_FEW_BYTES = 1 << 20
"""Bytes of bodies in memory. While there are more, large ones are coming, and use the memory that earlier ones left."""


async def serve(listener: socket.socket, channel_socket: socket.socket) -> None:
    """Answer HTTP on `listener` until the daemon at the other end of `channel_socket` says stop, or is gone."""
    channel = await DaemonChannel.open(channel_socket)
    try:
        config = await channel.receive()
        if not isinstance(config, GatewayConfig):
            raise DaemonLost("the first message must be the configuration")
        await Gateway(config, channel).serve(listener)
    except* DaemonLost as lost:
        # The daemon is gone, and the workers with it.
        log.warning("stopping at once: %s", lost.exceptions[0])


class Gateway:
    """One process's share of the data plane."""

    def __init__(self, config: GatewayConfig, channel: DaemonChannel) -> None:
        self._channel = channel
        self._counts = Counts()
        self._current = CurrentTable(config.base, self._counts, needs_keys=config.needs_keys)
        self._dispatch = Dispatch()
        self._tracer = Tracer(config.sampling, config.base) if config.sampling is not None else None
        self._starts = VersionStarts(channel.send)
        self._bodies = bodies = BodyBudget(config.max_body, config.max_buffered)
        application = Application(
            base=config.base,
            has_admin=config.has_admin,
            current=self._current,
            bodies=bodies,
            scoring=Scoring(self._dispatch) if self._tracer is None else TracedScoring(self._dispatch, self._tracer),
            starts=self._starts,
            forward=Forwarding(config.daemon),
            cors=Cors(config.base, config.cors_origins) if config.cors_origins else None,
        )
        limits = Limits(body_s=config.body_timeout_s, connections=config.connections)
        self._http = HttpServer(application, bodies, limits, config.stop_timeout_s)

    async def serve(self, listener: socket.socket) -> None:
        """Accept no connection before the first route table; until then clients wait in the listener's backlog."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._http.stop)
        await self._take(await self._receive())
        async with asyncio.TaskGroup() as group:
            works = (self._follow(), self._report_often(), self._return_memory(), self._dispatch.sweep())
            background = [group.create_task(work) for work in works]
            await self._http.serve(listener)
            for task in background:
                task.cancel()
        self._current.close()
        self._report({})
        await self._channel.close()

    async def _follow(self) -> None:
        while True:
            await self._take(await self._receive())

    async def _receive(self) -> ToGateway:
        """The next message that can be read."""
        while True:
            try:
                return await self._channel.receive()
            except MessageUnreadable as unreadable:
                self._keep(unreadable.serial, str(unreadable))

    async def _take(self, message: ToGateway) -> None:
        match message:
            case Table():
                await self._route_by(message)
            case Started():
                self._starts.finish(message)
            case Stop():
                self._http.stop()
            case GatewayConfig():
                raise DaemonLost("a second configuration")

    async def _route_by(self, table: Table) -> None:
        try:
            await self._current.apply(table)
        except Exception as error:
            log.exception("a failure of Pawl's own, in taking a route table")
            self._keep(table.serial, repr(error))
        else:
            self._channel.send(Acknowledged(serial=table.serial))

    def _keep(self, serial: int, why: str) -> None:
        """Keep routing by the current table, and tell the daemon. Exiting instead would take down all models for one
        message."""
        log.error("the daemon sent a message that can't be used; the current route table stays in force: %s", why)
        self._channel.send(TableRejected(serial=serial, why=why))

    async def _report_often(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_S)
            if not self._channel.is_clogged:
                self._report(self._current.outstanding())

    def _report(self, outstanding: Mapping[str, int]) -> None:
        self._channel.send(self._counts.take(outstanding))
        if self._tracer is not None and (spans := self._tracer.take()):
            self._channel.send(Traced(spans))

    async def _return_memory(self) -> None:
        """After a burst of large bodies, have the allocator return their memory to the system. By itself it keeps much
        of it, because small allocations in use lie between the free parts."""
        at_first = private_memory(os.getpid())
        while True:
            await asyncio.sleep(_RETURN_MEMORY_S)
            if self._bodies.held < _FEW_BYTES and private_memory(os.getpid()) > at_first + 2 * MOST_KEPT:
                give_back()
