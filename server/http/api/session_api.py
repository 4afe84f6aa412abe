"""`POST session` and `DELETE session`: a browser signs in, and out. A form is answered with a page to go to."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.events import Actor
from core.keys import Key
from core.paths import ADMIN, API_SESSION, PAGE_SIGN_OUT
from server.access.cross_site import is_cross_site
from server.access.sessions import COOKIE, LASTS_S
from server.access.sign_in import SignIn, SignInForbidden, SignInRefused, TooManyAttempts
from server.http.access import refuse_cross_site
from server.http.bodies import FORM, BodyInvalid, BodyMalformed, media_type, read_body, read_form
from server.http.forwarded import addresses, is_https, prefix
from server.http.replies import Json, error
from server.http.return_paths import return_path

_MOST = 16 * 1024
_NO_STORE = {"cache-control": "no-store"}


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What signs in: one of the first two."""

    key: str = ""
    code: str = ""
    next: str = ""
    """Where a browser goes then."""


class SessionApi:
    """Open to all: who signs in has shown nothing yet."""

    def __init__(self, base: str, sign_in: SignIn) -> None:
        self._base = base
        self._sign_in = sign_in

    def routes(self) -> list[Route]:
        return [
            Route(API_SESSION.template, self.session, methods=["POST", "DELETE"]),
            Route(PAGE_SIGN_OUT.template, self.end, methods=["POST"]),
        ]

    async def session(self, request: Request) -> Response:
        return await (self.end(request) if request.method == "DELETE" else self.begin(request))

    async def begin(self, request: Request) -> Response:
        if is_cross_site(request.method, request.headers, shows_cookie=False):
            return refuse_cross_site()
        is_form = media_type(request) == FORM
        try:
            shown = await (_read_form(request) if is_form else read_body(request, Shown))
            key, cookie = await self._shown(shown, Actor(kind="session", address=addresses(request)))
        except BodyMalformed as malformed:
            return error("malformed_json", str(malformed))
        except BodyInvalid as invalid:
            return error("invalid_parameter", str(invalid), **({"field": invalid.field} if invalid.field else {}))
        except (SignInRefused, SignInForbidden, TooManyAttempts) as refused:
            return _back_to_page(shown, refused) if is_form else _refusal(refused)
        answer = RedirectResponse("../" + return_path(shown.next), 303, _NO_STORE) if is_form else _session(key)
        self._set(request, answer, cookie, LASTS_S)
        return answer

    async def end(self, request: Request) -> Response:
        """Nothing is wrong with signing out twice."""
        cookie = request.cookies.get(COOKIE, "")
        if is_cross_site(request.method, request.headers, shows_cookie=bool(cookie)):
            return refuse_cross_site()
        await self._sign_in.end(cookie)
        is_api = request.method == "DELETE"
        answer = Json({"signed_out": True}, headers=_NO_STORE) if is_api else RedirectResponse("signin", 303, _NO_STORE)
        self._set(request, answer, "", 0)
        return answer

    async def _shown(self, shown: Shown, actor: Actor) -> tuple[Key, str]:
        if shown.code:
            return await self._sign_in.with_code(shown.code, actor)
        if not shown.key:
            takes = 'a key or a code, such as {"key": "pawl_…"}, sent with Content-Type: application/json'
            raise BodyInvalid(f"the body takes {takes}", "key")
        return await self._sign_in.with_key(shown.key.strip(), actor)

    def _set(self, request: Request, answer: Response, value: str, seconds: int) -> None:
        answer.set_cookie(
            COOKIE,
            value,
            max_age=seconds,
            path=f"{prefix(request)}{self._base}{ADMIN.template}/",
            secure=is_https(request),
            httponly=True,
            samesite="lax",
        )


async def _read_form(request: Request) -> Shown:
    fields = await read_form(request, _MOST)
    return Shown(fields.get("key", ""), fields.get("code", ""), fields.get("next", ""))


def _session(key: Key) -> Response:
    return Json({"name": key.name, "scopes": key.scopes, "expires_s": LASTS_S}, headers=_NO_STORE)


def _refusal(refused: Exception) -> Response:
    match refused:
        case TooManyAttempts():
            answer = error("rate_limited", str(refused))
            answer.headers["retry-after"] = str(refused.again_s)
            return answer
        case SignInForbidden():
            return error("key_forbidden", str(refused))
    return error("key_required", str(refused))


def _back_to_page(shown: Shown, refused: Exception) -> Response:
    address = f"../signin?refused={_why(shown, refused)}&next={quote(return_path(shown.next), safe='')}"
    return RedirectResponse(address, 303, _NO_STORE)


def _why(shown: Shown, refused: Exception) -> str:
    match refused:
        case TooManyAttempts():
            return "wait"
        case SignInForbidden():
            return "scope"
    return "code" if shown.code else "key"
