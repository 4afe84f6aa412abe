"""What a browser is shown where a program is told an error."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import ADMIN, STATIC
from server.http.access import Handler
from server.http.content_negotiation import prefers_html
from server.http.parameters import ParameterInvalid
from server.http.replies import Refusal, invalid
from server.pages.layout.address import address
from server.pages.layout.renderer import Renderer

_NO_PAGES = (f"{ADMIN.template}/api/", STATIC.template.partition("{")[0])
_HEADINGS = {
    "invalid_parameter": "A value in the address is wrong",
    "not_found": "No such page",
    "method_not_allowed": "This address takes another request",
    "key_required": "This takes a key",
    "key_forbidden": "This takes a key for more",
    "cross_site": "This came from another site",
    "body_too_large": "That is too large",
    "unsupported_media_type": "This takes a form",
    "internal": "Pawl itself failed",
}


class Refusals:
    """Shows an error as a page, with its status and headers."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def fitting(self, request: Request, refusal: Refusal) -> Response:
        """A page for a browser that asked for one; the error as it is for programs, and where only they ask."""
        path = request.scope["path"]
        is_page = f"{ADMIN.template}/" in path and not any(part in path for part in _NO_PAGES)
        wants_page = prefers_html(",".join(request.headers.getlist("accept")))
        return self._page(request, refusal) if is_page and wants_page else refusal

    def within(self, routes: Sequence[Route]) -> list[Route]:
        """The routes of pages: what is wrong with one's address, a page says, whoever asks."""
        return [Route(route.path, self._guarded(route.endpoint), methods=_methods(route)) for route in routes]

    def _guarded(self, answer: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                answered = await answer(request)
            except ParameterInvalid as caught:
                return self._page(request, invalid(caught))
            return self.fitting(request, answered) if isinstance(answered, Refusal) else answered

        return guarded

    def _page(self, request: Request, refusal: Refusal) -> Response:
        others = {name: held for name, held in request.query_params.items() if name != refusal.field}
        values = {
            "heading": _HEADINGS.get(refusal.code, "This was refused"),
            "says": refusal.message,
            "field": refusal.field if refusal.field in request.query_params else "",
            "without": address(**others),
            "has_others": any(others.values()),
        }
        page = self._renderer.render(request, "refused.html", values, status=refusal.status_code)
        own = (name for name in refusal.headers if name not in ("content-type", "content-length"))
        page.headers.update({name: refusal.headers[name] for name in own})
        return page


def _methods(route: Route) -> list[str]:
    return sorted(route.methods or ())
