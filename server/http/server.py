"""The HTTP server of the daemon: on the Unix socket that gateways forward to, or at an address of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from core.task import spawn


class AdminServer:
    """uvicorn, as a part of the daemon."""

    def __init__(self, app: ASGIApp, at: str | socket.socket) -> None:
        """`at`: path of a Unix socket, or a socket that listens."""
        self._listeners = None if isinstance(at, str) else [at]
        self._server = _QuietServer(
            uvicorn.Config(
                app,
                uds=at if isinstance(at, str) else None,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._serving = spawn(self._server.serve(self._listeners), "admin")

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait([self._serving])


class _QuietServer(uvicorn.Server):
    """Signals are the daemon's to take."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
