"""The admin API and the webhook: what an operator, or a git server, asks of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.events import Event, EventKind
from core.paths import API_EVENTS, API_MODEL, API_MODELS, API_RETRY, SYNC
from core.settings import Settings
from loader.reconcile import ModelUnknown, Reconciler
from registry.event_log import EventLog
from server.http import parameters
from server.http.access import Access
from server.http.replies import Json, error
from server.http.sync import Synced, sync
from server.state import ServerState

_LONGEST_WAIT_S = 50.0
"""Of a sync; a gateway gives up on a silent daemon after 60."""

_MOST = 1000
"""Items of a list in one answer."""
_OF_EACH_KIND = 20
"""Events that are told of a model beside its state."""
_CURSOR = "[0-9a-f]{14}-[0-9a-f]{8}"

T = TypeVar("T")


class Admin:
    """Routes under `{base}/-/`."""

    def __init__(
        self, settings: Settings, reconciler: Reconciler, event_log: EventLog, state: Callable[[], ServerState]
    ) -> None:
        self._reconciler = reconciler
        self._event_log = event_log
        self._state = state
        self._access = Access(settings)

    def routes(self) -> list[Route]:
        return [
            Route(SYNC.template, self.sync, methods=["POST"]),
            Route(API_MODELS.template, self._access.reading(self.models)),
            Route(API_MODEL.template, self._access.reading(self.model)),
            Route(API_RETRY.template, self._access.changing(self.retry), methods=["POST"]),
            Route(API_EVENTS.template, self._access.reading(self.events)),
        ]

    async def sync(self, request: Request) -> Response:
        """Look at the repository now. `?wait=SECONDS` answers once what is found is live or has failed."""
        if refusal := await self._access.refuse_sync(request):
            return refusal
        wait_s = parameters.seconds(request.query_params, "wait")
        if not wait_s:
            self._reconciler.ask()
            return Json(Synced(head=self._reconciler.head, models={}), status_code=202)
        found, is_all = await sync(self._reconciler, min(wait_s, _LONGEST_WAIT_S))
        return Json(found, status_code=200 if is_all else 202)

    async def models(self, request: Request) -> Response:
        """All models, by name, and where everything stands."""
        state, query = self._state(), request.query_params
        after, limit = query.get("cursor", ""), parameters.count(query, "limit", default=_MOST, most=_MOST)
        models = [model for name, model in state.models.items() if name > after]
        fields = {name: value for name, value in msgspec.structs.asdict(state).items() if name != "models"}
        return Json({**_page(models, limit, lambda model: model.name), **fields})

    async def model(self, request: Request) -> Response:
        name = request.path_params["model"]
        found = self._state().models.get(name)
        if found is None:
            return error("model_not_found", f"no model {name[:100]!r} is followed")
        events = self._event_log.newest_of_each_kind(name, _OF_EACH_KIND)
        return Json({**msgspec.structs.asdict(found), "events": list(map(_item, events))})

    async def retry(self, request: Request) -> Response:
        try:
            self._reconciler.retry(request.path_params["model"])
        except ModelUnknown as unknown:
            return error("model_not_found", str(unknown))
        return Json({"retrying": True}, status_code=202)

    async def events(self, request: Request) -> Response:
        """What happened, the newest first."""
        query = request.query_params
        limit = parameters.count(query, "limit", default=100, most=_MOST)
        events = self._event_log.newest(
            model=query.get("model") or None,
            kind=parameters.one_of(query, "kind", list(EventKind)),
            since=parameters.moment(query, "since"),
            before=parameters.matching(query, "cursor", _CURSOR, "what `next` was in the answer before"),
            most=limit + 1,
        )
        return Json(_page(list(map(_item, events)), limit, lambda item: str(item["id"])))


def _page(items: list[T], limit: int, cursor: Callable[[T], str]) -> dict[str, object]:
    """The first of them, and what to ask for the rest with."""
    return {"items": items[:limit], "next": cursor(items[limit - 1]) if len(items) > limit else None}


def _item(event: Event) -> dict[str, object]:
    fields = msgspec.structs.asdict(event)
    if event.actor is None:  # nobody did it, so nobody gave a reason
        del fields["actor"], fields["reason"], fields["action"]
    return {"id": event.id, **fields}
