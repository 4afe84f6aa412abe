"""Who may use the admin API, the pages and the webhook."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from core.events import Actor
from core.settings import Settings
from server.access.principal import LOCAL, Principal, Scope
from server.http.replies import error
from server.http.webhook import MAX_BYTES, Delivery, is_token

Handler = Callable[[Request], Awaitable[Response]]

ADMIN_TOKEN = Principal(kind="key", name="ADMIN_TOKEN", scopes=(Scope.ADMIN,))
"""The key that is always there."""
_LONGEST_ADDRESS = 200
_HOST = re.compile(r"\[([^]]*)\](?::\d*)?|([^:]*)(?::\d*)?")
_DISABLED = "set ADMIN_TOKEN (and send it as 'Authorization: Bearer …') to use this"
_HERE_ALONE = (
    "without an ADMIN_TOKEN this is for programs on this machine alone: ask for it at 127.0.0.1 or localhost, without "
    "a proxy between, or set ADMIN_TOKEN and send it as 'Authorization: Bearer …'"
)


class BodyTooLarge(Exception):
    """The request's body is over the bound; the edge answers 413."""


def actor_of(request: Request) -> Actor:
    """Who asked, for an event; of a request that `Access` has let through.

    The address is the client's as the gateway forwards it, behind those that proxies before it told.
    """
    principal: Principal = request.state.principal
    told = ", ".join(request.headers.getlist("x-forwarded-for"))
    return Actor(kind=principal.kind, name=principal.name, address=told[-_LONGEST_ADDRESS:])


class Access:
    """Says no with the answer to give, and yes with None; who it was is `request.state.principal` from then on."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.admin_token
        self._secret = settings.webhook_secret
        self._is_for_here = not settings.admin_token and is_loopback(settings.host)

    def reading(self, answer: Handler) -> Handler:
        """`answer`, for who may read: scope view."""
        return _guarded(self.refuse_reading, answer)

    def changing(self, answer: Handler) -> Handler:
        """`answer`, for who may act on models and runs: scope operate."""
        return _guarded(self.refuse_changing, answer)

    def administering(self, answer: Handler) -> Handler:
        """`answer`, for who may make keys: scope admin."""
        return _guarded(partial(self._refuse, Scope.ADMIN), answer)

    def refuse_reading(self, request: Request) -> Response | None:
        """Anybody may read where only this machine reaches us and no token is set; else who has a key for it."""
        if self._is_for_here:
            request.state.principal = LOCAL
            return None if _comes_from_here(request.headers) else error("admin_disabled", _HERE_ALONE)
        return self._refuse(Scope.VIEW, request)

    def refuse_changing(self, request: Request) -> Response | None:
        return self._refuse(Scope.OPERATE, request)

    def _refuse(self, scope: Scope, request: Request) -> Response | None:
        principal = self._principal(request)
        if principal is None:
            return _key_required() if self._token else error("admin_disabled", _DISABLED)
        request.state.principal = principal
        return None if principal.may(scope) else error("key_forbidden", f"this takes a key of scope {scope}")

    def _principal(self, request: Request) -> Principal | None:
        return ADMIN_TOKEN if is_token(request.headers, self._token) else None

    async def refuse_sync(self, request: Request) -> Response | None:
        """Of a body, no more is read than it takes to know. Raises BodyTooLarge."""
        if is_token(request.headers, self._token) or await self._is_delivery(request):
            return None
        return _refusal(bool(self._token or self._secret))

    async def _is_delivery(self, request: Request) -> bool:
        if int(request.headers.get("content-length", "0")) > MAX_BYTES:
            raise BodyTooLarge
        delivery = Delivery(request.headers, self._secret)
        if delivery.shows_secret or not delivery.is_signed:
            return delivery.shows_secret
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_BYTES:
                raise BodyTooLarge
            delivery.feed(piece)
        return delivery.matches()


def _guarded(refuse: Callable[[Request], Response | None], answer: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        return refuse(request) or await answer(request)

    return guarded


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _comes_from_here(headers: Headers) -> bool:
    """Whether a program of this machine asked, on its own behalf.

    A page from anywhere can have a browser ask us under a name of its own that leads to 127.0.0.1 (DNS rebinding), and
    a proxy on this machine asks for whoever asked it; the name, and what a proxy adds, tell.
    """
    asked = [headers.get("host", ""), *headers.getlist("x-forwarded-host")]
    told = ",".join(headers.getlist("x-forwarded-for"))
    clients = [client.strip() for client in told.split(",") if client.strip()]
    return all(is_loopback(_name(host)) for host in asked) and all(map(is_loopback, clients))


def _name(host: str) -> str:
    """Of a Host header: what stands before the port."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found[1] or found[2] or ""


def _key_required() -> Response:
    refused = error("key_required", "the request shows no valid key; send one as 'Authorization: Bearer …'")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused


def _refusal(somebody_may: bool) -> Response:
    if not somebody_may:
        return error("admin_disabled", _DISABLED)
    refused = error("unauthorized", "the token or the signature is missing or wrong")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused
