"""The routes of a model's own page and its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import PawlError
from core.paths import PAGE_CONFIGURATION, PAGE_MODEL
from registry.event_filter import EventFilter
from registry.event_log import EventLog
from server.http.access import Access
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.overview.action_note import action_note
from server.pages.dashboard.overview.configuration import configuration
from server.pages.dashboard.overview.failure import failure_view
from server.pages.dashboard.overview.on_its_way import shown_steps
from server.pages.dashboard.overview.overview import sentence, stats
from server.pages.dashboard.runs.run_rows import run_row
from server.pages.dashboard.versions.version_rows import VersionRow, version_row
from server.pages.events.lines import line
from server.pages.in_words import in_words
from server.pages.layout.moments import moment
from server.steering.actions.actions import Actions
from server.versions.versions import Versions

_EVENTS = 8
_VERSIONS = 6


class OverviewPages:
    """`{base}/-/models/{model}`."""

    def __init__(
        self,
        access: Access,
        page: ModelPage,
        event_log: EventLog,
        actions: Actions,
        versions: Versions,
        settings: Mapping[str, str],
    ) -> None:
        """`settings`: the server's, by the names of those of a model that they stand in for."""
        self._settings = settings
        self._access = access
        self._page = page
        self._event_log = event_log
        self._actions = actions
        self._versions = versions

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_MODEL.template, self._access.reading(self.overview)),
            Route(PAGE_CONFIGURATION.template, self._access.reading(self.configuration)),
        ]

    async def overview(self, request: Request) -> Response:
        facts = await self._page.find(request)
        if facts is None:
            return self._page.unknown(request)
        now, state = datetime.now(UTC), facts.state
        run, action = state.training, self._actions.find(request.query_params.get("action", ""))
        values = {
            "sentence": sentence(facts, now),
            "held_by_pin_alone": facts.is_held_by_pin_alone,
            "stats": stats(facts),
            "doing": in_words(state.doing),
            "steps": shown_steps(state.step or "", state.steps) if state.doing else (),
            "failure": failure_view(facts, now),
            "pin": facts.pin,
            "pinned": moment(facts.pin.at, now) if facts.pin else None,
            "is_crashing": state.live is not None and state.live.crashing,
            "run": run_row(run, now) if run is not None else None,
            "lines": [
                line(event, now) for event in self._event_log.kept.newest(EventFilter(model=facts.name), most=_EVENTS)
            ],
            "action": action_note(action) if action is not None else None,
            "rows": await self._last(facts.name),
            "about": state.live.about if state.live else "",
        }
        return self._page.render(request, "overview", "dashboard/overview.html", values)

    async def configuration(self, request: Request) -> Response:
        facts = await self._page.find(request)
        if facts is None:
            return self._page.unknown(request)
        lines = configuration(facts.state.live, self._settings) if facts.state.live else ()
        return self._page.render(request, "configuration", "dashboard/configuration.html", {"lines": lines})

    async def _last(self, model: str) -> Sequence[VersionRow]:
        """Its last versions; none where they can't be read now."""
        try:
            found = await self._versions.listed(model, _VERSIONS, None)
        except PawlError:
            return ()
        return [version_row(one, datetime.now(UTC)) for one in found.items]
