"""Keeps a choice of colours, without JavaScript too."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.paths import PAGE_MODELS, PAGE_THEME
from server.http.bodies import read_form
from server.pages.layout.theme import COOKIE, KEPT_S, theme
from server.pages.links import links


class ThemePage:
    """`POST {base}/-/theme`."""

    def __init__(self, base: str) -> None:
        self._base = base

    def routes(self) -> list[Route]:
        return [Route(PAGE_THEME.template, self.choose, methods=["POST"])]

    async def choose(self, request: Request) -> Response:
        """Anybody may choose: it is a cookie of their own."""
        form = await read_form(request)
        at = links(request, self._base)
        answer = RedirectResponse(_back(form.get("next", ""), at.base), 303)
        answer.set_cookie(
            COOKIE,
            theme(form.get("theme", "")),
            max_age=KEPT_S,
            path=at.base or "/",
            httponly=True,
            samesite="lax",
        )
        return answer


def _back(asked: str, base: str) -> str:
    """Nowhere but to a page of ours."""
    parts = urlsplit(asked)
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith(f"{base}/") and "\\" not in asked
    return asked if is_ours and not asked.startswith("//") else base + PAGE_MODELS.template
