"""The catalogue's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import PawlError
from core.paths import PAGE_LOOK, PAGE_MODELS
from server.http import parameters
from server.http.access import Access
from server.pages.catalogue.rows import FILTERS, Listing, listing
from server.pages.dashboard.versions.version_rows import VersionRow, version_row
from server.pages.facts import ModelFacts
from server.pages.layout.address import addresses
from server.pages.layout.renderer import Renderer
from server.pages.links import links
from server.state import ServerState
from server.versions.versions import Versions

_LONGEST_Q = 200
_LAST = 5
"""Versions of a row that is open."""


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
        versions: Versions,
        *,
        is_folder: bool,
    ) -> None:
        """`look`: has the source looked at soon. `is_folder`: whether that is a folder of this machine, without git."""
        self._is_folder = is_folder
        self._base = base
        self._access = access
        self._renderer = renderer
        self._state = state
        self._facts = facts
        self._look = look
        self._versions = versions

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_MODELS.template, self._access.reading(self.catalogue)),
            Route(PAGE_LOOK.template, self._access.changing(self.look), methods=["POST"]),
        ]

    async def catalogue(self, request: Request) -> Response:
        query = request.query_params
        q, state = query.get("q", "")[:_LONGEST_Q], parameters.one_of(query, "state", [*filter(None, FILTERS)]) or ""
        group, opened, after = FILTERS.get(state), query.get("open", ""), query.get("after", "")
        found = listing(await self._facts(), datetime.now(UTC), q=q, group=group, after=after)
        values = {
            "listing": found,
            "total": sum(found.counts.values()),
            "filters": filters(found),
            "q": q,
            "state": state,
            "open": opened,
            "last_versions": await self._last(opened) if opened else (),
            "is_folder": self._is_folder,
            "left_out": self._state().left_out,
            "address": addresses({"q": q, "state": state, "after": after, "open": opened}),
        }
        return self._renderer.render(request, "catalogue/catalogue.html", values, here="models")

    async def _last(self, model: str) -> Sequence[VersionRow]:
        """Its last versions; none where they can't be read now."""
        try:
            found = await self._versions.listed(model, _LAST, None)
        except PawlError:
            return ()
        return [version_row(one, datetime.now(UTC)) for one in found.items]

    async def look(self, request: Request) -> Response:
        self._look()
        return RedirectResponse(links(request, self._base).base + PAGE_MODELS.template, 303)


def filters(found: Listing) -> list[tuple[str, str, int]]:
    """Of each filter its name, its label and how many models it lets through."""
    counts = {name: found.counts[group] if group else sum(found.counts.values()) for name, group in FILTERS.items()}
    return [(name, group.value if group else "All", counts[name]) for name, group in FILTERS.items()]
