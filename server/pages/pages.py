"""What is at the base path: the catalogue, for people and for programs, and the documentation of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.paths import DOCS, INDEX, MODEL, OPENAPI
from server.http.replies import Json
from server.openapi.document import openapi
from server.pages.accept import prefers_html
from server.pages.card import card, short
from server.pages.links import Links, links
from server.pages.shown_examples import shown_examples
from server.pages.static import Static
from server.state import ModelState, ServerState

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_DOCS_POLICY = (  # swagger-ui sets styles by script and draws its arrows from data: addresses
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FRESH = {"cache-control": "no-cache", "vary": "Accept, X-Forwarded-Prefix, X-Forwarded-Host, X-Forwarded-Proto"}


class Pages:
    """Routes under the base path."""

    def __init__(self, base: str, state: Callable[[], ServerState]) -> None:
        self._base = base
        self._state = state
        self._static = Static()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[Route]:
        return [
            Route(INDEX.template, self.index),
            Route(DOCS.template, self.docs),
            Route(OPENAPI.template, self.openapi),
            *self._static.routes(),
        ]

    async def index(self, request: Request) -> Response:
        """What is served: a page where that is preferred to JSON."""
        at = links(request, self._base)
        if prefers_html(",".join(request.headers.getlist("accept"))):
            return await self._catalogue(at)
        models = {name: _entry(at.base, model) for name, model in self._state().models.items()}
        return Json({"models": models}, headers=_FRESH)

    async def docs(self, request: Request) -> Response:
        return self._page("docs.html", links(request, self._base), _DOCS_POLICY)

    async def openapi(self, request: Request) -> Response:
        state, at = self._state(), links(request, self._base)
        examples = await asyncio.to_thread(shown_examples, state)
        return Json(openapi(state, self._base, at.prefix, examples), headers=_FRESH)

    async def _catalogue(self, at: Links) -> Response:
        state = self._state()
        examples = await asyncio.to_thread(shown_examples, state)
        cards = [card(model, at.base, at.url, examples.get(name, ())) for name, model in state.models.items()]
        return self._page("catalogue.html", at, _POLICY, state=state, cards=cards, head=short(state.head))

    def _page(self, template: str, at: Links, policy: str, **values: object) -> Response:
        def static(name: str) -> str:
            return at.base + self._static.path(name)

        return HTMLResponse(
            self._templates.get_template(template).render(at=at, static=static, **values),
            headers={
                **_FRESH,
                "content-security-policy": policy,
                "referrer-policy": "same-origin",
                "x-content-type-options": "nosniff",
            },
        )


def _entry(base: str, model: ModelState) -> dict[str, object]:
    entry: dict[str, object] = {"url": base + MODEL.of(model.name), "live": model.live is not None}
    if model.live is not None:
        entry |= {"version": model.live.version, "commit": model.live.commit, "description": model.live.about}
    if model.failure is not None:
        entry["failed"] = {"version": model.failure.version, "message": model.failure.message}
    return entry
