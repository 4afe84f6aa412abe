"""A gateway: the channel to the daemon, the route tables that come on it, and the HTTP server that uses them."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.counts import Counts
from gateway.daemon_channel import DaemonChannel, DaemonLost, MessageUnreadable
from gateway.http.bodies import BodyBudget
from gateway.http.server import HttpServer
from gateway.idle_memory import return_memory
from gateway.messages import Acknowledged, GatewayConfig, Started, Stop, Table, TableRejected, ToGateway
from gateway.routes.current import CurrentTable
from gateway.routes.dispatch import Dispatch
from gateway.routes.version_starts import VersionStarts
from gateway.tracing.tracer import Tracer
from worker.wire.spans import Traced

log = logging.getLogger("pawl.gateway")

_REPORT_S = 1.0
"""Seconds between two messages with counts."""


@dataclass(frozen=True)
class Gateway:
    """One process's share of the data plane: it takes the daemon's messages, and answers HTTP by what they say."""

    channel: DaemonChannel
    counts: Counts
    current: CurrentTable
    dispatch: Dispatch
    starts: VersionStarts
    bodies: BodyBudget
    http: HttpServer
    tracer: Tracer | None

    async def serve(self, listener: socket.socket) -> None:
        """Accept no connection before the first route table; until then clients wait in the listener's backlog."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.http.stop)
        await self._take(await self._receive())
        async with asyncio.TaskGroup() as group:
            works = (self._follow(), self._report_often(), return_memory(self.bodies), self.dispatch.sweep())
            background = [group.create_task(work) for work in works]
            await self.http.serve(listener)
            for task in background:
                task.cancel()
        self.current.close()
        self._report({})
        await self.channel.close()

    async def _follow(self) -> None:
        while True:
            await self._take(await self._receive())

    async def _receive(self) -> ToGateway:
        """The next message that can be read."""
        while True:
            try:
                return await self.channel.receive()
            except MessageUnreadable as unreadable:
                self._keep(unreadable.serial, str(unreadable))

    async def _take(self, message: ToGateway) -> None:
        match message:
            case Table():
                await self._route_by(message)
            case Started():
                self.starts.finish(message)
            case Stop():
                self.http.stop()
            case GatewayConfig():
                raise DaemonLost("a second configuration")

    async def _route_by(self, table: Table) -> None:
        try:
            await self.current.apply(table)
        except Exception as error:
            log.exception("a failure of Pawl's own, in taking a route table")
            self._keep(table.serial, repr(error))
        else:
            self.channel.send(Acknowledged(serial=table.serial))

    def _keep(self, serial: int, why: str) -> None:
        """Keep routing by the current table, and tell the daemon. Exiting instead would take down all models for one
        message."""
        log.error("the daemon sent a message that can't be used; the current route table stays in force: %s", why)
        self.channel.send(TableRejected(serial=serial, why=why))

    async def _report_often(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_S)
            if not self.channel.is_clogged:
                self._report(self.current.outstanding())

    def _report(self, outstanding: Mapping[str, int]) -> None:
        self.channel.send(self.counts.take(outstanding))
        if self.tracer is not None and (spans := self.tracer.take()):
            self.channel.send(Traced(spans))
