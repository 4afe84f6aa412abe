"""The admin API of models: which there are, and where each stands."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import API_MODEL, API_MODELS
from core.version_states import VersionState
from registry.event_log import EventLog
from server.http import parameters
from server.http.access import Access
from server.http.api.events_api import item
from server.http.api.lists import MOST, page
from server.http.replies import Json, error
from server.state import ModelState, ServerState

_OF_EACH_KIND = 20
"""Events that are told of a model beside its state."""
_LIVE = "live"


class ModelsApi:
    """Routes under `{base}/-/api/`."""

    def __init__(
        self,
        access: Access,
        state: Callable[[], ServerState],
        one: Callable[[str], ModelState | None],
        event_log: EventLog,
    ) -> None:
        """`state`: of all; `one`: of the model of that name."""
        self._access = access
        self._state = state
        self._one = one
        self._event_log = event_log

    def routes(self) -> list[Route]:
        return [
            Route(API_MODELS.template, self._access.reading(self.models)),
            Route(API_MODEL.template, self._access.reading(self.model)),
        ]

    async def models(self, request: Request) -> Response:
        """All models, by name, and where everything stands."""
        state, query = self._state(), request.query_params
        after, limit = query.get("cursor", ""), parameters.count(query, "limit", default=MOST, most=MOST)
        wanted = parameters.one_of(query, "state", [_LIVE, *VersionState])
        words = query.get("q", "").casefold()
        models = [
            model
            for name, model in state.models.items()
            if name > after and _stands(model, wanted) and _speaks_of(model, words)
        ]
        fields = {name: value for name, value in msgspec.structs.asdict(state).items() if name != "models"}
        return Json({**page(models, limit, lambda model: model.name), **fields})

    async def model(self, request: Request) -> Response:
        name = request.path_params["model"]
        found = self._one(name)
        if found is None:
            return error("model_not_found", f"no model {name[:100]!r} is followed")
        events = self._event_log.kept.newest_of_each_kind(name, _OF_EACH_KIND)
        return Json({**msgspec.to_builtins(found), "events": list(map(item, events))})


def _stands(model: ModelState, wanted: str | None) -> bool:
    return wanted is None or (model.live is not None if wanted == _LIVE else model.state == wanted)


def _speaks_of(model: ModelState, words: str) -> bool:
    """Whether its name, or what its author says of it, holds that."""
    about = "" if model.live is None else model.live.about
    return words in model.name.casefold() or words in about.casefold()
