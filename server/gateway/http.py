"""uvicorn, set up for the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import uvicorn

from server.gateway.asgi import ASGIApplication
from server.gateway.caller import SWEEP_S, CallerConnection, CallerLimits


class HttpServer:
    """Answers HTTP with `application`."""

    def __init__(self, application: ASGIApplication, limits: CallerLimits, stop_timeout_s: float) -> None:
        self._server = _Server(_config(application, limits, stop_timeout_s))

    async def serve(self, listener: socket.socket) -> None:
        """Return once stopped, with every request answered or the time for it over."""
        sweeper = asyncio.create_task(self._sweep(), name="sweep the clients' connections")
        try:
            await self._server.serve(sockets=[listener])
        finally:
            sweeper.cancel()

    def stop(self) -> None:
        """Accept no more, finish what is under way."""
        self._server.should_exit = True

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            for connection in list(self._server.server_state.connections):
                if isinstance(connection, CallerConnection):
                    connection.sweep()


class _Server(uvicorn.Server):
    """uvicorn's, with the signals left to the gateway."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(application: ASGIApplication, limits: CallerLimits, stop_timeout_s: float) -> uvicorn.Config:
    protocol: Any = partial(CallerConnection, limits)
    return uvicorn.Config(
        application,
        http=protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        timeout_keep_alive=math.ceil(limits.idle_s),
        timeout_graceful_shutdown=math.ceil(stop_timeout_s),
    )
