"""`{base}/-/signin`: a form for a key, or a button for the one-time code of a first start."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import PAGE_SIGN_IN
from server.access.sign_in import SignIn
from server.http.return_paths import return_path
from server.pages.layout.renderer import Renderer

_REFUSED = {
    "key": ("This key is not valid.", "It may have expired or been revoked, or a part of it is missing."),
    "code": ("This address is good no longer.", "It was used, or ten minutes have passed; sign in with a key."),
    "scope": ("This key shows nothing.", "Signing in takes a key of scope view, operate or admin."),
    "wait": ("Too many attempts have failed.", "Wait a minute, and try again."),
}
_LONGEST_CODE = 100


class SignInPage:
    """Open to all. Its forms are sent to `POST session`."""

    def __init__(self, renderer: Renderer, sign_in: SignIn) -> None:
        self._renderer = renderer
        self._sign_in = sign_in

    def routes(self) -> list[Route]:
        return [Route(PAGE_SIGN_IN.template, self.show)]

    async def show(self, request: Request) -> Response:
        query = request.query_params
        code, minutes = query.get("code", "")[:_LONGEST_CODE], 0
        if code and self._sign_in.code is not None:
            minutes = self._sign_in.code.minutes_left
        is_late = bool(code) and not minutes
        values = {
            "code": code if minutes else "",
            "minutes": minutes,
            "next": return_path(query.get("next", "")),
            "refused": _REFUSED.get("code" if is_late else query.get("refused", "")),
        }
        answer = self._renderer.render(request, "access/signin.html", values)
        answer.headers["cache-control"] = "no-store"
        return answer
