"""The catalogue's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.paths import PAGE_LOOK, PAGE_MODELS
from server.http.access import Access
from server.pages.catalogue.rows import FILTERS, Listing, listing
from server.pages.facts import ModelFacts
from server.pages.layout.address import addresses
from server.pages.layout.renderer import Renderer
from server.pages.links import links
from server.state import ServerState

_LONGEST_Q = 200


class CataloguePages:
    """`{base}/-/`."""

    def __init__(
        self,
        base: str,
        access: Access,
        renderer: Renderer,
        state: Callable[[], ServerState],
        facts: Callable[[], Awaitable[Sequence[ModelFacts]]],
        look: Callable[[], None],
    ) -> None:
        """`look`: has the source looked at soon."""
        self._base = base
        self._access = access
        self._renderer = renderer
        self._state = state
        self._facts = facts
        self._look = look

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_MODELS.template, self._access.reading(self.catalogue)),
            Route(PAGE_LOOK.template, self._access.changing(self.look), methods=["POST"]),
        ]

    async def catalogue(self, request: Request) -> Response:
        query = request.query_params
        q, state = query.get("q", "")[:_LONGEST_Q], query.get("state", "")
        group, opened, after = FILTERS.get(state), query.get("open", ""), query.get("after", "")
        found = listing(await self._facts(), datetime.now(UTC), q=q, group=group, after=after)
        values = {
            "listing": found,
            "total": sum(found.counts.values()),
            "filters": filters(found),
            "q": q,
            "state": state if group else "",
            "open": opened,
            "last_versions": (),
            "left_out": self._state().left_out,
            "address": addresses({"q": q, "state": state if group else "", "after": after, "open": opened}),
        }
        return self._renderer.render(request, "catalogue/catalogue.html", values, here="models")

    async def look(self, request: Request) -> Response:
        self._look()
        return RedirectResponse(links(request, self._base).base + PAGE_MODELS.template, 303)


def filters(found: Listing) -> list[tuple[str, str, int]]:
    """Of each filter its name, its label and how many models it lets through."""
    counts = {name: found.counts[group] if group else sum(found.counts.values()) for name, group in FILTERS.items()}
    return [(name, group.value if group else "All", counts[name]) for name, group in FILTERS.items()]
