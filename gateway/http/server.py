"""The HTTP server: connections accepted, looked after, and closed in the end."""

from __future__ import annotations

import asyncio
import logging
import socket
from email.utils import formatdate

from gateway.http.bodies import BodyBudget
from gateway.http.connections.connection import Connection
from gateway.http.connections.shared import Application, Shared
from gateway.http.limits import Limits
from gateway.http.refusals import refuse

log = logging.getLogger("pawl.gateway")

_SWEEP_S = 0.5
"""Seconds between two looks at every connection: how late a limit may bite."""
_BACKLOG = 2048
"""Connections that may wait to be accepted."""
_LAST_LOOKS = 3
"""Turns of the event loop in which requests are still read that came before the stop, on connections that look idle."""
_LAST_ANSWERS_S = 1.0
"""Seconds that the answers of a server that has no more time may take to be sent."""


class HttpServer:
    """Answers HTTP with `application`."""

    def __init__(self, application: Application, bodies: BodyBudget, limits: Limits, stop_timeout_s: float) -> None:
        self._shared = Shared(application, bodies, limits, date=_date())
        self._stop_timeout_s = stop_timeout_s
        self._stopping = asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        """Return once stopped, with every request answered or the time for it over."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self._shared), sock=listener, backlog=_BACKLOG)
        sweeper = asyncio.create_task(self._sweep(), name="sweep the clients' connections")
        try:
            await self._stopping.wait()
            server.close()
            await self._let_go()
        finally:
            sweeper.cancel()

    def stop(self) -> None:
        """Accept no more, finish what is under way."""
        self._stopping.set()

    async def _let_go(self) -> None:
        self._shared.is_stopping = True
        for _ in range(_LAST_LOOKS):
            await asyncio.sleep(0)
        for connection in list(self._shared.connections):
            connection.stop()
        if not await self._all_gone(self._stop_timeout_s):
            refused = refuse("stopping", "the server stops and has no time left for the request")
            for connection in list(self._shared.connections):
                connection.cut(refused)
            await self._all_gone(_LAST_ANSWERS_S)

    async def _all_gone(self, within_s: float) -> bool:
        """Whether the last connection has closed in time."""
        self._shared.emptied.clear()
        if not self._shared.connections:
            return True
        try:
            async with asyncio.timeout(within_s):
                await self._shared.emptied.wait()
        except TimeoutError:
            return False
        return True

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._shared.date = _date()
            for connection in list(self._shared.connections):
                try:
                    connection.sweep()
                except Exception:
                    log.exception("a failure of Pawl's own, in looking after a connection")


def _date() -> bytes:
    """The header's line, https://www.rfc-editor.org/rfc/rfc9110#field.date."""
    return f"date: {formatdate(usegmt=True)}\r\n".encode()
