"""The routes of a model's own page, its configuration and its retry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.paths import PAGE_CONFIGURATION, PAGE_MODEL, PAGE_RETRY
from registry.event_log import EventLog
from server.http.access import Access
from server.pages.dashboard.configuration import configuration
from server.pages.dashboard.failure import failure_view
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.on_its_way import teeth
from server.pages.dashboard.overview import sentence, stats
from server.pages.dashboard.run_rows import run_row
from server.pages.events.lines import line
from server.pages.layout.moments import moment
from server.pages.links import links

_EVENTS = 8


class OverviewPages:
    """`{base}/-/models/{model}`."""

    def __init__(
        self, base: str, access: Access, page: ModelPage, event_log: EventLog, retry: Callable[[str], None]
    ) -> None:
        """`retry`: tries a model's newest release again. It raises ModelUnknown."""
        self._base = base
        self._access = access
        self._page = page
        self._event_log = event_log
        self._retry = retry

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_MODEL.template, self._access.reading(self.overview)),
            Route(PAGE_CONFIGURATION.template, self._access.reading(self.configuration)),
            Route(PAGE_RETRY.template, self._access.changing(self.retry), methods=["POST"]),
        ]

    async def overview(self, request: Request) -> Response:
        facts = await self._page.find(request)
        if facts is None:
            return self._page.unknown(request)
        now, state = datetime.now(UTC), facts.state
        run = state.training
        values = {
            "sentence": sentence(facts, now),
            "stats": stats(facts),
            "stage": state.stage or "",
            "teeth": teeth(state.step or "", state.steps) if state.stage else (),
            "failure": failure_view(facts, now),
            "pin": facts.pin,
            "pinned": moment(facts.pin.at, now) if facts.pin else None,
            "is_crashing": state.live is not None and state.live.crashing,
            "run": run_row(run, now) if run is not None else None,
            "lines": [line(event, now) for event in self._event_log.newest(model=facts.name, most=_EVENTS)],
            "about": state.live.about if state.live else "",
        }
        return self._page.render(request, "overview", "dashboard/overview.html", values)

    async def configuration(self, request: Request) -> Response:
        facts = await self._page.find(request)
        if facts is None:
            return self._page.unknown(request)
        lines = configuration(facts.state.live) if facts.state.live else ()
        return self._page.render(request, "configuration", "dashboard/configuration.html", {"lines": lines})

    async def retry(self, request: Request) -> Response:
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        model = request.path_params["model"]
        self._retry(model)
        return RedirectResponse(links(request, self._base).base + PAGE_MODEL.of(quote(model, safe="")), 303)
