"""Who may use the admin API and the webhook."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from core.settings import Settings
from server.http.replies import error
from server.http.webhook import MAX_BYTES, Delivery, is_token

Handler = Callable[[Request], Awaitable[Response]]

_HOST = re.compile(r"\[([^]]*)\](?::\d*)?|([^:]*)(?::\d*)?")
_DISABLED = "set ADMIN_TOKEN (and send it as 'Authorization: Bearer …') to use this"
_HERE_ALONE = (
    "without an ADMIN_TOKEN this is for programs on this machine alone: ask for it at 127.0.0.1 or localhost, without "
    "a proxy between, or set ADMIN_TOKEN and send it as 'Authorization: Bearer …'"
)


class BodyTooLarge(Exception):
    """The request's body is over the bound; the edge answers 413."""


class Access:
    """Says no with the answer to give, and yes with None."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.admin_token
        self._secret = settings.webhook_secret
        self._is_for_here = not settings.admin_token and is_loopback(settings.host)

    def reading(self, answer: Handler) -> Handler:
        """`answer`, for who may read."""
        return _guarded(self.refuse_reading, answer)

    def changing(self, answer: Handler) -> Handler:
        return _guarded(self.refuse_changing, answer)

    def refuse_reading(self, request: Request) -> Response | None:
        """Anybody may read where only this machine reaches us and no token is set; else who has the token."""
        if self._is_for_here:
            return None if _comes_from_here(request.headers) else error("admin_disabled", _HERE_ALONE)
        return self.refuse_changing(request)

    def refuse_changing(self, request: Request) -> Response | None:
        return None if is_token(request.headers, self._token) else _refusal(bool(self._token))

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


def _refusal(somebody_may: bool) -> Response:
    if not somebody_may:
        return error("admin_disabled", _DISABLED)
    refused = error("unauthorized", "the token or the signature is missing or wrong")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused
