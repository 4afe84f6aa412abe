"""What is at the base path: the catalogue, for people and for programs, and the documentation of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import DOCS, INDEX, MODEL, OPENAPI
from server.http.content_negotiation import prefers_html
from server.http.replies import Json
from server.openapi.document import openapi
from server.pages.card import card
from server.pages.layout.policy import docs_headers
from server.pages.layout.renderer import FRESH, Renderer
from server.pages.links import links
from server.pages.refusals import Refusals
from server.pages.shown_examples import shown_examples
from server.pages.static import Static
from server.state import ModelState, ServerState


class Pages:
    """Routes under the base path."""

    def __init__(
        self,
        base: str,
        state: Callable[[], ServerState],
        static: Static,
        renderer: Renderer,
        operators: Sequence[Route] = (),
        *,
        needs_keys: bool = False,
    ) -> None:
        """`operators`: the routes of the pages that operators see. `needs_keys`: whether models take one."""
        self._base = base
        self._state = state
        self._static = static
        self._renderer = renderer
        self.refusals = Refusals(renderer)
        self._operators = self.refusals.within(operators)
        self._needs_keys = needs_keys

    def routes(self) -> list[Route]:
        return [
            Route(INDEX.template, self.index),
            Route(DOCS.template, self.docs),
            Route(OPENAPI.template, self.openapi),
            *self._static.routes(),
            *self._operators,
        ]

    async def index(self, request: Request) -> Response:
        """What is served: a page where that is preferred to JSON."""
        if prefers_html(",".join(request.headers.getlist("accept"))):
            return await self._served(request)
        at = links(request, self._base)
        models = {name: _entry(at.base, model) for name, model in self._state().models.items()}
        return Json({"models": models}, headers=FRESH)

    async def docs(self, request: Request) -> Response:
        return self._renderer.render(request, "docs.html", {}, here="docs", headers=docs_headers)

    async def openapi(self, request: Request) -> Response:
        state, at = self._state(), links(request, self._base)
        examples = await asyncio.to_thread(shown_examples, state)
        return Json(openapi(state, self._base, at.prefix, examples, needs_keys=self._needs_keys), headers=FRESH)

    async def _served(self, request: Request) -> Response:
        state, at = self._state(), links(request, self._base)
        examples = await asyncio.to_thread(shown_examples, state)
        cards = [card(model, at.base, at.url, examples.get(name, ())) for name, model in state.models.items()]
        values = {"cards": cards, "left_out": state.left_out}
        return self._renderer.render(request, "served.html", values, here="served")


def _entry(base: str, model: ModelState) -> dict[str, object]:
    entry: dict[str, object] = {"url": base + MODEL.of(model.name), "live": model.live is not None}
    if model.live is not None:
        entry |= {"version": model.live.version, "commit": model.live.commit, "description": model.live.about}
    if model.failure is not None:
        entry["failed"] = {"version": model.failure.version, "message": model.failure.message}
    return entry
