"""The route of the page of events."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.events import EventKind
from core.paths import PAGE_EVENTS
from registry.event_filter import EventFilter
from registry.event_log import EventLog
from server.http import parameters
from server.http.access import Access
from server.pages.events.lines import line, who
from server.pages.layout.address import address, addresses
from server.pages.layout.renderer import Renderer

_PAGE = 100
_CURSOR = "[0-9a-f]{14}-[0-9a-f]{8}"


class EventsPages:
    """`{base}/-/events`; the filters are in the address."""

    def __init__(self, access: Access, renderer: Renderer, event_log: EventLog) -> None:
        self._access = access
        self._renderer = renderer
        self._event_log = event_log

    def routes(self) -> list[Route]:
        return [Route(PAGE_EVENTS.template, self._access.reading(self.events))]

    async def events(self, request: Request) -> Response:
        query = request.query_params
        model, actor = query.get("model", "").strip(), query.get("actor", "").strip()
        kind = parameters.one_of(query, "kind", list(EventKind)) or ""
        since = parameters.moment(query, "since")
        before = parameters.matching(query, "cursor", _CURSOR, "what `next` was in the answer before")
        wanted = EventFilter(model=model or None, kind=kind or None, since=since)
        found = self._event_log.kept.newest(wanted, before=before, most=None if actor else _PAGE + 1)
        chosen = [event for event in found if not actor or actor.casefold() in who(event.actor).casefold()]
        shown, now = chosen[:_PAGE], datetime.now(UTC)
        present = {"model": model, "kind": kind, "actor": actor, "since": query.get("since", "")}
        values = {
            "lines": [line(event, now) for event in shown],
            "kinds": list(EventKind),
            "chosen": present,
            "address": addresses(present),
            "twin": address(**present),
            "next": shown[-1].id if len(chosen) > _PAGE else "",
        }
        return self._renderer.render(request, "events.html", values, here="events")
