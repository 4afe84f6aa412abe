"""The daemon's own HTTP application: everything that is not a model. Gateways pass requests on to it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from server.http.access import BodyTooLarge
from server.http.bodies import BodyNotForm
from server.http.parameters import ParameterInvalid
from server.http.policy import Policy
from server.http.replies import Refusal, error, invalid
from server.http.slashes import redirect_slashes
from server.pages.pages import Pages
from server.traffic.metrics.metrics import Metrics

Handle = Callable[[Request, Exception], Awaitable[Refusal]]
log = logging.getLogger("pawl")

_CODES = {404: "not_found", 405: "method_not_allowed"}
_SAYS = {"Not Found": "nothing is at this path", "Method Not Allowed": "this path takes another method"}
"""Of what Starlette says, what we do."""


class Routed(Protocol):
    """A part of the application."""

    def routes(self) -> list[Route]: ...


def build_app(base: str, parts: Sequence[Routed], pages: Pages, metrics: Metrics) -> Starlette:
    routes = [*(route for part in parts for route in part.routes()), *pages.routes()]
    beside = [metrics.route(), *([Route(base, pages.index)] if base else [])]
    under_base = [Mount(base, redirect_slashes(Router(routes)))] if base else routes
    handlers: dict[Any, Handle] = {**EXCEPTION_HANDLERS, 405: partial(_not_allowed, [*beside, *routes])}
    app = Starlette(
        routes=[*beside, *under_base],
        exception_handlers={kind: partial(_fitting, pages, handle) for kind, handle in handlers.items()},
        middleware=[Middleware(_Nowhere), Middleware(Policy)],
    )
    redirect_slashes(app.router)
    return app


class _Nowhere:
    """Forgets where the server listens: a Unix socket, whose path would be in the address of a request without Host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "server": None}, receive, send)


async def _fitting(pages: Pages, handle: Handle, request: Request, caught: Exception) -> Response:
    return pages.refusals.fitting(request, await handle(request, caught))


async def _refused(request: Request, caught: Exception) -> Refusal:
    assert isinstance(caught, HTTPException)
    code = _CODES.get(caught.status_code, "bad_request")
    refused = error(code, f"{request.method} {request.scope['path'][:100]}: {_SAYS.get(caught.detail, caught.detail)}")
    refused.headers.update(caught.headers or {})
    return refused


async def _not_allowed(routes: Iterable[Route], request: Request, caught: Exception) -> Refusal:
    """Starlette names the methods of the first route at the path, and not those of its others."""
    refused = await _refused(request, caught)
    here = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    refused.headers["allow"] = ", ".join(sorted({method for route in here for method in route.methods or ()}))
    return refused


async def _too_large(request: Request, caught: Exception) -> Refusal:
    return error("body_too_large", "the body is larger than this route takes")


async def _no_form(request: Request, caught: Exception) -> Refusal:
    return error("unsupported_media_type", str(caught))


async def _gone(request: Request, caught: Exception) -> Refusal:
    """Nobody reads it: the client has gone."""
    return error("bad_request", "the request broke off")


async def _invalid(request: Request, caught: Exception) -> Refusal:
    assert isinstance(caught, ParameterInvalid)
    return invalid(caught)


async def _failed(request: Request, caught: Exception) -> Refusal:
    error_id = uuid.uuid4().hex
    log.error("%s failed (error id %s)", request.scope["path"], error_id, exc_info=caught)
    return error("internal", "Pawl itself failed; its log says more", error_id=error_id)


EXCEPTION_HANDLERS: dict[Any, Handle] = {
    HTTPException: _refused,
    BodyTooLarge: _too_large,
    ClientDisconnect: _gone,
    BodyNotForm: _no_form,
    ParameterInvalid: _invalid,
    Exception: _failed,
}
