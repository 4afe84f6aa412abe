"""The gateways and the socket that they share, as a part of the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from server.gateways.gateways import Gateways, Handlers
from server.gateways.route_publisher import RoutePublisher

NOT_READY_S = 0.5
"""Between saying that we are not ready and accepting nothing more, so that whoever asks can notice."""


class DataPlane:
    """Accepts requests from its start to its stop."""

    def __init__(
        self, listener: socket.socket, gateways: Gateways, publisher: RoutePublisher, handlers: Handlers
    ) -> None:
        self._listener = listener
        self._gateways = gateways
        self._publisher = publisher
        self._handlers = handlers

    async def start(self) -> None:
        self._gateways.start(self._handlers)

    async def stop(self) -> None:
        """Refuse connections, once it has been said that we are not ready; let requests in flight finish."""
        with contextlib.suppress(TimeoutError):  # a gateway that hangs is waited for later, for as long as it may take
            await asyncio.wait_for(self._publisher.set_ready(False), NOT_READY_S)
        await asyncio.sleep(NOT_READY_S)
        self._listener.close()  # ours; the gateways close theirs, and from then on connections are refused
        await self._gateways.stop()
