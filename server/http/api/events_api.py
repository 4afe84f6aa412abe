"""The admin API of events: what happened, and what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.events import BY_ITSELF, Event, EventKind
from core.paths import API_EVENTS, API_EVENTS_STREAM
from registry.event_filter import EventFilter
from registry.event_log import EventLog
from server.http import parameters
from server.http.access import Access, may_go_on
from server.http.api.answering import answering
from server.http.api.lists import MOST, NEXT, page
from server.http.event_streams import EventStreams, SentEvent
from server.http.replies import Json

_CURSOR = "[0-9a-f]{14}-[0-9a-f]{8}"
_BEFORE_ALL = -(1 << 60)


class EventsApi:
    """Routes under `{base}/-/api/`."""

    def __init__(self, access: Access, event_log: EventLog, streams: EventStreams) -> None:
        self._access = access
        self._event_log = event_log
        self._streams = streams

    def routes(self) -> list[Route]:
        reading = self._access.reading
        return [
            Route(API_EVENTS.template, reading(answering(self.events))),
            Route(API_EVENTS_STREAM.template, reading(answering(self.stream))),
        ]

    async def events(self, request: Request) -> Response:
        """What happened, the newest first."""
        query = request.query_params
        limit = parameters.count(query, "limit", default=100, most=MOST)
        before = parameters.matching(query, "cursor", _CURSOR, NEXT)
        found = await self._event_log.listed(_filter(query), before=before, most=limit + 1)
        return Json(page(list(map(item, found)), limit, lambda one: str(one["id"])))

    async def stream(self, request: Request) -> Response:
        """What happens from now on; after a break, what happened meanwhile first."""
        last = request.headers.get("last-event-id", "")
        chosen = _filter(request.query_params)
        place = self._event_log.kept.place_of(last) if parameters.is_match(last, _CURSOR) else None
        if place is None:
            place = self._event_log.kept.last if chosen.since is None else _BEFORE_ALL
        return self._streams.answer(self._follow(chosen, place), may_go_on(request))

    async def _follow(self, chosen: EventFilter, place: int) -> AsyncIterator[SentEvent]:
        while True:
            for number, event in self._event_log.kept.after(place):
                place = max(place, number)
                if chosen.takes(event):
                    yield SentEvent(id=event.id, event=event.kind.value, data=item(event))
            if place >= self._event_log.kept.last:
                await self._event_log.kept.news.wait()


def _filter(query: Mapping[str, str]) -> EventFilter:
    return EventFilter(
        model=query.get("model") or None,
        kind=parameters.one_of(query, "kind", list(EventKind)),
        actor=query.get("actor") or None,
        since=parameters.moment(query, "since"),
    )


def item(event: Event) -> dict[str, object]:
    """As it is told; what happened by itself was done by Pawl."""
    fields = msgspec.structs.asdict(event)
    return {"id": event.id, **fields, "actor": event.actor or BY_ITSELF}
