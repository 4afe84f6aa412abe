"""Who may use the admin API, the pages and the webhook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.events import Actor
from core.keys import Key, Scope
from core.paths import ADMIN
from core.settings.settings import Settings
from server.access.admin_token import AdminToken
from server.access.cross_site import is_cross_site
from server.access.known_keys import KnownKeys
from server.access.principal import LOCAL, Principal, principal_of
from server.access.sessions import COOKIE, Sessions
from server.http.content_negotiation import prefers_html
from server.http.forwarded import addresses
from server.http.loopback import comes_from_here, is_loopback
from server.http.replies import error
from server.http.return_paths import below_admin, up_to_admin
from server.http.webhook import MAX_BYTES, Delivery

Handler = Callable[[Request], Awaitable[Response]]

_API = f"{ADMIN.template}/api/"
_HERE_ALONE = (
    "without an ADMIN_TOKEN this is for programs on this machine alone: ask for it at 127.0.0.1 or localhost, without "
    "a proxy between, or send a key as 'Authorization: Bearer …'"
)
_REQUIRED = "this takes a key: send the ADMIN_TOKEN, or another one, as 'Authorization: Bearer …'"
_INVALID = "the key is not valid: it may have expired, or been revoked, or is not whole"


class BodyTooLarge(Exception):
    """The request's body is over the bound; the edge answers 413."""


def actor_of(request: Request) -> Actor:
    """Who asked, for an event; of a request that `Access` has let through."""
    principal: Principal = request.state.principal
    return Actor(kind=principal.kind, name=principal.name, address=addresses(request))


def may_go_on(request: Request) -> Callable[[], bool]:
    """Whether who asked may still read, asked again: of a request that `Access` has let through."""
    still: Callable[[], bool] = request.state.may_go_on
    return still


class Access:
    """Says no with the answer to give, and yes with None; who it was is `request.state.principal` from then on."""

    def __init__(self, settings: Settings, known: KnownKeys | None = None, sessions: Sessions | None = None) -> None:
        """Without `known`, the setting ADMIN_TOKEN is the only key."""
        token = settings.admin_token
        self._known = known or KnownKeys(AdminToken(token, is_new=False).key if token else None)
        self._sessions = sessions
        self._needs_keys = settings.auth == "keys"
        self._secret = settings.webhook_secret
        self._is_for_here = not token and all(map(is_loopback, _hosts(settings)))

    def reading(self, answer: Handler) -> Handler:
        """`answer`, for who may read: scope view."""
        return _guarded(self.refuse_reading, answer)

    def changing(self, answer: Handler) -> Handler:
        """`answer`, for who may act on models and runs: scope operate."""
        return _guarded(self.refuse_changing, answer)

    def administering(self, answer: Handler) -> Handler:
        """`answer`, for who may make keys: scope admin."""
        return _guarded(partial(self._refuse, Scope.ADMIN), answer)

    def asking(self, answer: Handler) -> Handler:
        """`answer`, for who may read and ask the model of the path: where models take a key, one of scope predict that
        covers it, or of scope operate."""
        return _guarded(self._refuse_asking, answer)

    def may_read(self, request: Request) -> bool:
        """What an open page asks, for what it shows to those alone."""
        return self.refuse_reading(request) is None

    def refuse_reading(self, request: Request) -> Response | None:
        """Anybody may read where only this machine reaches us and no token is set; else who has a key for it."""
        if self._is_for_here and _bearer(request.headers) is None and self._session(request) is None:
            return self._refuse_local(request)
        return self._refuse(Scope.VIEW, request)

    def _refuse_local(self, request: Request) -> Response | None:
        if not comes_from_here(request.headers):
            return _refusal(request, "admin_disabled", _HERE_ALONE)
        if is_cross_site(request.method, request.headers, shows_cookie=True):  # nothing shown is what anybody has
            return refuse_cross_site()
        request.state.principal = LOCAL
        request.state.may_go_on = lambda: True
        return None

    def _refuse_asking(self, request: Request) -> Response | None:
        if refusal := self.refuse_reading(request):
            return refusal
        found = self._show(request)
        if not self._needs_keys or (found is not None and _covers(found[0], request.path_params["model"])):
            return None
        return error("key_forbidden", "models are asked with a key here, and this one does not cover the model")

    def refuse_changing(self, request: Request) -> Response | None:
        return self._refuse(Scope.OPERATE, request)

    async def refuse_sync(self, request: Request) -> Response | None:
        """Of a body, no more is read than it takes to know. Raises BodyTooLarge."""
        if self.find(request) is not None:
            return self.refuse_changing(request)
        if await self._is_delivery(request):
            return None
        refused = error("unauthorized", "the token or the signature is missing or wrong")
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused

    def find(self, request: Request) -> Principal | None:
        """Who asks, by a key or, where there is none, by a session."""
        found = self._show(request)
        return None if found is None else principal_of(found[0], is_session=found[1])

    def _refuse(self, scope: Scope, request: Request) -> Response | None:
        found = self._show(request)
        if found is None:
            return _refusal(request, "key_required", _REQUIRED if _bearer(request.headers) is None else _INVALID)
        key, is_session = found
        if is_cross_site(request.method, request.headers, shows_cookie=is_session):
            return refuse_cross_site()
        request.state.principal = principal_of(key, is_session=is_session)
        request.state.may_go_on = lambda: self._may(scope, request)
        if self._known.may(key, scope):
            return None
        if key.may(scope):
            return error("registry_unavailable", "keys may read and predict, and no more, until the registry answers")
        return error("key_forbidden", f"this takes a key of scope {scope}; {key.name} has {', '.join(key.scopes)}")

    def _may(self, scope: Scope, request: Request) -> bool:
        found = self._show(request)
        return found is not None and self._known.may(found[0], scope)

    def _show(self, request: Request) -> tuple[Key, bool] | None:
        """The key, and whether it is a session that shows it."""
        if (text := _bearer(request.headers)) is not None:
            key = self._known.find(text)
            return None if key is None else (key, False)
        key = self._session(request)
        return None if key is None else (key, True)

    def _session(self, request: Request) -> Key | None:
        cookie = request.cookies.get(COOKIE)
        return None if cookie is None or self._sessions is None else self._sessions.key_of(cookie)

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


def _covers(key: Key, model: str) -> bool:
    return key.may(Scope.OPERATE) or (key.may(Scope.PREDICT) and (key.models is None or model in key.models))


def refuse_cross_site() -> Response:
    said = "a page of another site seems to have sent this; a proxy in front must leave Origin and Host as they are"
    return error("cross_site", said)


def _refusal(request: Request, code: str, message: str) -> Response:
    """A browser that wants a page is led to the sign-in, and comes back."""
    path = request.scope["path"]
    if ADMIN.template in path and _API not in path and prefers_html(",".join(request.headers.getlist("accept"))):
        back = below_admin(path, request.url.query) if request.method == "GET" else ""
        address = f"{up_to_admin(path)}signin" + (f"?next={quote(back, safe='')}" if back else "")
        return RedirectResponse(address, 303, {"cache-control": "no-store", "vary": "Accept, Cookie"})
    refused = error(code, message)
    if refused.status_code == 401:
        refused.headers["WWW-Authenticate"] = "Bearer"
    return refused


def _bearer(headers: Headers) -> str | None:
    """The key in `Authorization: Bearer KEY`; None where nothing is sent."""
    sent = headers.get("authorization")
    if sent is None:
        return None
    scheme, _, key = sent.partition(" ")
    # Starlette reads each byte as a character.
    return (
        key.strip().encode("latin-1", "replace").decode(errors="surrogateescape") if scheme.lower() == "bearer" else ""
    )


def _hosts(settings: Settings) -> list[str]:
    """Where the admin API may be reached."""
    return [settings.host, *([settings.admin_address[0]] if settings.admin_address else [])]
