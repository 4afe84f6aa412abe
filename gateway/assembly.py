"""A gateway put together: the channel to the daemon, the tables it sends, and the HTTP server that routes by them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket

from gateway.counts import Counts
from gateway.daemon_channel import Control, ControlLost, MessageUnreadable
from gateway.http.bodies import Bodies
from gateway.http.cors import Cors
from gateway.http.limits import Limits
from gateway.http.server import HttpServer
from gateway.messages import Acknowledged, GatewayConfig, Kept, Started, Stop, Table, ToGateway
from gateway.routes.application import Application
from gateway.routes.current import Tables
from gateway.routes.dispatch import Dispatch
from gateway.routes.forwarding import Forward
from gateway.routes.version_starts import Starts
from worker.wire.memory import MOST_KEPT, give_back, private_memory

log = logging.getLogger(__name__)

_TELL_S = 1.0
"""Seconds between two messages with counts."""
_TIDYING_S = 5.0
"""Seconds between two looks at the memory that bodies have left."""
_FEW_BYTES = 1 << 20
"""Bytes of all bodies that are held. Where there are more, large ones come, and take the memory of those before."""


async def serve(listener: socket.socket, channel: socket.socket) -> None:
    """Answer HTTP on `listener` until the daemon at the other end of `channel` says stop, or is gone."""
    control = await Control.open(channel)
    try:
        config = await control.receive()
        if not isinstance(config, GatewayConfig):
            raise ControlLost("the first message must be the configuration")
        await Gateway(config, control).serve(listener)
    except* ControlLost as lost:
        # The daemon is gone, and the workers with it.
        log.warning("stopping at once: %s", lost.exceptions[0])


class Gateway:
    """One process's share of the data plane."""

    def __init__(self, config: GatewayConfig, control: Control) -> None:
        self._control = control
        self._counts = Counts()
        self._tables = Tables(config.base, self._counts)
        self._dispatch = Dispatch()
        self._starts = Starts(control.send)
        self._bodies = bodies = Bodies(config.max_body, config.max_buffered)
        application = Application(
            base=config.base,
            tables=self._tables,
            bodies=bodies,
            dispatch=self._dispatch,
            starts=self._starts,
            forward=Forward(config.daemon),
            cors=Cors(config.base, config.cors_origins) if config.cors_origins else None,
        )
        limits = Limits(body_s=config.body_timeout_s, connections=config.connections)
        self._http = HttpServer(application, bodies, limits, config.stop_timeout_s)

    async def serve(self, listener: socket.socket) -> None:
        """Accept nothing before the first table: until then whoever asks waits in the listener's queue."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._http.stop)
        await self._take(await self._receive())
        async with asyncio.TaskGroup() as group:
            works = (self._follow(), self._tell(), self._tidy(), self._dispatch.sweep())
            background = [group.create_task(work) for work in works]
            await self._http.serve(listener)
            for task in background:
                task.cancel()
        self._tables.close()
        self._control.send(self._counts.take({}))
        await self._control.close()

    async def _follow(self) -> None:
        while True:
            await self._take(await self._receive())

    async def _receive(self) -> ToGateway:
        """The next message that can be read."""
        while True:
            try:
                return await self._control.receive()
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
                raise ControlLost("a second configuration")

    async def _route_by(self, table: Table) -> None:
        try:
            await self._tables.apply(table)
        except Exception as error:
            log.exception("a failure of Pawl's own, in taking a route table")
            self._keep(table.serial, repr(error))
        else:
            self._control.send(Acknowledged(serial=table.serial))

    def _keep(self, serial: int, why: str) -> None:
        """Go on by the table in force, and say so: to end would be to serve no model where one is wrong."""
        log.error("a message of the daemon can't be taken; the route table in force stays: %s", why)
        self._control.send(Kept(serial=serial, why=why))

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TELL_S)
            if not self._control.is_clogged:
                self._control.send(self._counts.take(self._tables.outstanding()))

    async def _tidy(self) -> None:
        """After a burst of large bodies, return their memory: among small pieces that are in use, much of it stays."""
        at_first = private_memory(os.getpid())
        while True:
            await asyncio.sleep(_TIDYING_S)
            if self._bodies.held < _FEW_BYTES and private_memory(os.getpid()) > at_first + 2 * MOST_KEPT:
                give_back()
