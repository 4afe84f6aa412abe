"""Routes about traffic and about the machine, of the admin API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.names import why_not_a_model_name
from core.paths import API_MODEL_TRAFFIC, API_SYSTEM, API_TRAFFIC, API_VERSION_TRAFFIC, MONITOR_TRAFFIC
from core.traffic.bucket import Stage
from server.http import parameters
from server.http.access import Access
from server.http.api.answering import answering
from server.http.parameters import ParameterInvalid
from server.http.replies import Json
from server.traffic.history.history import TrafficHistory
from server.traffic.system import SystemReader
from server.versions.version_reader import ModelNotFound

_STEP = re.compile(r"(\d{1,9})(s|m|h|d)?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_COUNTED_AS = re.compile("v[0-9]{1,18}|run-[0-9a-f]{1,40}")


class TrafficApi:
    """Scope view."""

    def __init__(
        self,
        access: Access,
        history: TrafficHistory,
        system: SystemReader,
        is_followed: Callable[[str], bool],
        label: Callable[[str, str], str],
    ) -> None:
        """`label(model, version)`: the `vN` of what goes by that name; it blocks, and raises VersionNotFound or
        VersionAmbiguous."""
        self._access = access
        self._history = history
        self._system = system
        self._is_followed = is_followed
        self._label = label

    def routes(self) -> list[Route]:
        by_version = self._access.reading(answering(self.of_version))
        return [
            Route(API_TRAFFIC.template, self._access.reading(answering(self.of_all))),
            Route(API_MODEL_TRAFFIC.template, self._access.reading(answering(self.of_model))),
            Route(API_VERSION_TRAFFIC.template, by_version),
            Route(MONITOR_TRAFFIC.template, by_version),
            Route(API_SYSTEM.template, self._access.reading(self.system)),
        ]

    async def of_all(self, request: Request) -> Response:
        return await self._answer(request, "", "")

    async def of_model(self, request: Request) -> Response:
        return await self._answer(request, request.path_params["model"], "")

    async def of_version(self, request: Request) -> Response:
        """By `vN`, a commit or `run-KEY`."""
        model, version = request.path_params["model"], request.path_params["version"]
        if not _COUNTED_AS.fullmatch(version) or not await self._knows(model, version):
            await self._check(model)
            version = await asyncio.to_thread(self._label, model, version)
        return await self._answer(request, model, version)

    async def system(self, request: Request) -> Response:
        return Json(await self._system.read())

    async def _answer(self, request: Request, model: str, version: str) -> Response:
        query = request.query_params
        start, end = parameters.moment(query, "from"), parameters.moment(query, "to")
        if start is not None and end is not None and start > end:
            raise ParameterInvalid("from", query["from"], "a time before that of `to`")
        stage = parameters.one_of(query, "stage", list(Stage))
        step_s = _step(query.get("step", ""))
        if model:
            await self._check(model)
        found = await self._history.query(model, version, start, end, step_s, Stage(stage) if stage else None)
        return Json(found)

    async def _check(self, model: str) -> None:
        """A model whose folder has gone has a history all the same."""
        if not self._is_followed(model) and not await self._knows(model):
            raise ModelNotFound(f"no model {model[:100]!r} is followed, nor was one ever")

    async def _knows(self, model: str, version: str = "") -> bool:
        """A database need not even take what can't be a name."""
        return not why_not_a_model_name(model) and await self._history.knows(model, version)


def _step(held: str) -> int | None:
    """Seconds; None where nothing is given."""
    if not held:
        return None
    found = _STEP.fullmatch(held)
    seconds = int(found[1]) * _UNITS[found[2] or "s"] if found else 0
    if seconds < 1:
        raise ParameterInvalid("step", held, "a whole number of seconds, or such as 15m, 1h and 1d")
    return seconds
