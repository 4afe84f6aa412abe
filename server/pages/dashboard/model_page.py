"""What all pages of one model share: the model, its tabs, and what to say where there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from server.pages.dashboard.tabs import TABS, tab
from server.pages.facts import ModelFacts
from server.pages.layout.renderer import Renderer

FactsOf = Callable[[str], Awaitable[ModelFacts | None]]


class ModelPage:
    """Finds the model that a page is about, and renders within its frame."""

    def __init__(self, renderer: Renderer, facts_of: FactsOf) -> None:
        self._renderer = renderer
        self._facts_of = facts_of

    async def find(self, request: Request) -> ModelFacts | None:
        return await self._facts_of(request.path_params["model"])

    def render(
        self, request: Request, name: str, template: str, values: Mapping[str, object], *, status: int = 200
    ) -> Response:
        """`name`: the tab's."""
        model = request.path_params["model"]
        shown = tab(name)
        common = {"model": model, "tabs": TABS, "tab": shown, "command": shown.command.replace("MODEL", model)}
        return self._renderer.render(request, template, {**common, **values}, here="models", status=status)

    def unknown(self, request: Request) -> Response:
        name = request.path_params["model"]
        return self._renderer.render(request, "dashboard/unknown.html", {"model": name}, here="models", status=404)
