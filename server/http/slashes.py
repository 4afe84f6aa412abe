"""Paths with a slash at their end that have none there, and the reverse: redirects that hold behind any proxy."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Match, Router
from starlette.types import Receive, Scope, Send


def redirect_slashes(router: Router) -> Router:
    """Have `router` redirect by relative addresses.

    Starlette's own are absolute. They name the host and the scheme by which the last proxy came, without the prefix
    that one may have taken off; what is relative, a client completes from the address that it asked for.
    """
    router.redirect_slashes = False
    router.default = partial(_redirect, router)
    return router


async def _redirect(router: Router, scope: Scope, receive: Receive, send: Send) -> None:
    path: str = scope["path"]
    if path.endswith("//") or path.endswith("/") != scope["raw_path"].endswith(b"/"):  # "%2F" is part of a name
        raise HTTPException(404)
    other = path[:-1] if path.endswith("/") else path + "/"
    if not any(route.matches({**scope, "path": other})[0] is not Match.NONE for route in router.routes):
        raise HTTPException(404)
    name = quote(other.rstrip("/").rpartition("/")[2], safe="")
    query = scope["query_string"].decode("latin-1")
    address = (f"{name}/" if other.endswith("/") else f"../{name}") + (f"?{query}" if query else "")
    await RedirectResponse(address)(scope, receive, send)
