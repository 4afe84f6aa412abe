"""From a template and values to an answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from server.pages.card import short
from server.pages.layout import units
from server.pages.layout.cells import rows
from server.pages.layout.frame import frame
from server.pages.layout.moments import duration
from server.pages.layout.plain import plain
from server.pages.layout.policy import page_headers
from server.pages.layout.theme import theme_of
from server.pages.links import links
from server.pages.static import Static
from server.state import SourceState, of_others

FRESH = {
    "cache-control": "no-cache",
    "vary": "Accept, Cookie, X-Forwarded-Prefix, X-Forwarded-Host, X-Forwarded-Proto",
}
_TEMPLATES = Path(__file__).parents[1] / "templates"
Headers = Callable[[str], dict[str, str]]


class Renderer:
    """Renders pages; every template escapes what it shows."""

    def __init__(
        self, base: str, state: Callable[[], SourceState], static: Static, may_read: Callable[[Request], bool]
    ) -> None:
        """`may_read`: whether who asks may see what is followed, too; pages that are open to all are for others."""
        self._base = base
        self._state = state
        self._may_read = may_read
        self._static = static
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            auto_reload=False,
            finalize=plain,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"short": short, "count": units.count, "ms": units.milliseconds, "size": units.size}
        self._templates.filters |= {"rows": rows}
        self._templates.filters |= {"number": units.number, "duration": duration}

    def render(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        *,
        here: str = "",
        status: int = 200,
        headers: Headers = page_headers,
    ) -> Response:
        """`here`: the page's entry of the navigation."""
        nonce = secrets.token_urlsafe(16)
        at = links(request, self._base)
        query = request.url.query
        path = at.prefix + request.scope["path"] + (f"?{query}" if query else "")
        state = self._state() if self._may_read(request) else of_others(self._state())
        around = frame(at, path, here, theme_of(request), nonce, state, _who(request))

        def static(name: str) -> str:
            return at.base + self._static.path(name)

        text = self._templates.get_template(template).render(frame=around, at=at, static=static, **values)
        return HTMLResponse(text, status_code=status, headers={**FRESH, **headers(nonce)})


def _who(request: Request) -> str:
    """Of a browser that signed in: the name of its key."""
    principal = getattr(request.state, "principal", None)
    return principal.name if principal is not None and principal.kind == "session" else ""
