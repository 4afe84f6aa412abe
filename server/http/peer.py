"""Tells the application who asks at a listener of the daemon's own, as a gateway does at its."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Peer:
    """Adds the client's address to `X-Forwarded-For`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None:
            scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-for", str(client[0]).encode())]}
        await self._app(scope, receive, send)
