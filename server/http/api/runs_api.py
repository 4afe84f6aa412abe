"""The admin API of training runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import RunStateConflict
from core.events import as_reason
from core.paths import (
    API_MODEL_RUNS,
    API_RUN,
    API_RUN_ACCEPT,
    API_RUN_ARTIFACT,
    API_RUN_CANCEL,
    API_RUN_LOG,
    API_RUN_RETRY,
    API_RUNS,
)
from core.runs.states import RunState
from loader.artifacts.slugs import slug
from server.http import parameters
from server.http.access import Access, actor_of
from server.http.api.answering import answering
from server.http.api.askers import Reasoned, reason_of
from server.http.api.run_actions import RunActions
from server.http.bodies import BodyInvalid, read_body
from server.http.event_streams import EventStreams
from server.http.log_stream import follow
from server.http.replies import Json, Streamed, error
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.followed_log import FollowedLog
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked
from trainer.catalogue.zipped import zipped

_MOST = 1000
_CURSOR = "[0-9a-f]{14}-[0-9a-f]{12}"
_TEXT = "text/plain; charset=utf-8"
_AS_TEXT = {"x-content-type-options": "nosniff"}


class RunsApi:
    """Routes under `{base}/-/api/`."""

    def __init__(
        self,
        access: Access,
        runs: RunCatalogue,
        is_followed: Callable[[str], bool],
        streams: EventStreams | None = None,
        actions: RunActions | None = None,
        turned_down: Callable[[str, str], str] = lambda model, run: "",
    ) -> None:
        """`is_followed`: whether there is a model of that name. `streams`: which logs that are followed are some of.
        `turned_down(model, run)`: the version by which a rollback turned down what a run left; empty: none has."""
        self._access = access
        self._runs = runs
        self._is_followed = is_followed
        self._streams = streams or EventStreams()
        self._actions = actions or RunActions(runs)
        self._turned_down = turned_down

    def routes(self) -> list[Route]:
        reading, changing = self._access.reading, self._access.changing
        post = ["POST"]
        return [
            Route(API_RUNS.template, reading(answering(self.runs))),
            Route(API_RUN.template, reading(answering(self.one))),
            Route(API_RUN_LOG.template, reading(answering(self.log))),
            Route(API_RUN_ARTIFACT.template, reading(answering(self.artifact))),
            Route(API_MODEL_RUNS.template, changing(answering(self.start)), methods=post),
            Route(API_RUN_CANCEL.template, changing(answering(self.cancel)), methods=post),
            Route(API_RUN_RETRY.template, changing(answering(self.retry)), methods=post),
            Route(API_RUN_ACCEPT.template, changing(answering(self.accept)), methods=post),
        ]

    async def runs(self, request: Request) -> Response:
        """The newest first."""
        query = request.query_params
        items, following = await self._runs.listed(
            model=query.get("model") or None,
            state=parameters.one_of(query, "state", list(RunState)),
            limit=parameters.count(query, "limit", default=100, most=_MOST),
            cursor=parameters.matching(query, "cursor", _CURSOR, "what `next` was in the answer before"),
        )
        return Json({"items": items, "next": following})

    async def one(self, request: Request) -> Response:
        told = await self._runs.one(_run(request))
        if hint := self._hint(told):
            told = msgspec.structs.replace(told, message="; ".join(filter(None, (told.message, hint))))
        return Json(told)

    def _hint(self, run: RunView) -> str:
        """That the run succeeded and is not served all the same, and what to do."""
        version = self._turned_down(run.model, run.run) if run.state is RunState.SUCCEEDED else ""
        return (
            version and f"what it left was turned down by a rollback; pawl accept {run.model} {version} takes it back"
        )

    async def start(self, request: Request) -> Response:
        """201 with a new run, 200 with the run that there was for the same."""
        model = request.path_params["model"]
        if not self._is_followed(model):
            return error("model_not_found", f"no model {model[:100]!r} is followed")
        asked = await read_body(request, Asked)
        asked = msgspec.structs.replace(asked, reason=as_reason(asked.reason))
        view, is_new = await self._actions.start(model, asked, actor_of(request))
        return Json(view, status_code=201 if is_new else 200)

    async def cancel(self, request: Request) -> Response:
        reason = reason_of(request, await read_body(request, Reasoned))
        return Json(await self._actions.cancel(_run(request), actor_of(request), reason))

    async def retry(self, request: Request) -> Response:
        reason = reason_of(request, await read_body(request, Reasoned))
        return Json(await self._actions.retry(_run(request), actor_of(request), reason))

    async def accept(self, request: Request) -> Response:
        """Only with a reason: somebody will ask why it is served."""
        reason = reason_of(request, await read_body(request, Reasoned))
        if not reason:
            raise BodyInvalid('accept takes a reason, such as {"reason": "the test set was wrong"}', "reason")
        if hint := self._hint(await self._runs.find(_run(request))):
            raise RunStateConflict(f"run {_run(request)} can't be accepted: it has succeeded, and {hint}")
        return Json(await self._actions.accept(_run(request), actor_of(request), reason))

    async def log(self, request: Request) -> Response:
        query = request.query_params
        attempt = parameters.count(query, "attempt", default=0, most=10_000) if query.get("attempt") else None
        is_followed = parameters.one_of(query, "follow", ["0", "1"]) == "1"
        if not is_followed:
            return Response(await self._runs.log(_run(request), attempt), media_type=_TEXT, headers=_AS_TEXT)
        offset = parameters.count(query, "offset", default=1, most=10**9) if query.get("offset", "0") != "0" else 0
        return await self._followed(await self._runs.find(_run(request)), attempt, offset)

    async def _followed(self, view: RunView, attempt: int | None, offset: int) -> Response:
        attempt = attempt or max(view.attempts, 1)
        is_going_on = partial(self._runs.is_attempting, view.run, attempt)
        self._streams.take()
        printed = None
        try:
            printed = await self._open_log(view.run, attempt, offset, is_going_on)
        finally:
            if printed is None:
                self._streams.give_back()
        if printed is None:
            rest = (await self._runs.log(view.run, attempt))[offset:]
            return Response(rest, media_type=_TEXT, headers={**_AS_TEXT, "x-pawl-log-offset": str(offset)})
        return Streamed(
            follow(printed, is_going_on),
            media_type=_TEXT,
            headers={**_AS_TEXT, "x-pawl-log-offset": str(printed.at), "x-accel-buffering": "no"},
            done=partial(self._followed_to_the_end, printed),
        )

    async def _open_log(
        self, run: str, attempt: int, offset: int, is_going_on: Callable[[], bool]
    ) -> FollowedLog | None:
        """None: there is none in the attempt's folder, and none will come soon."""
        for _ in range(_LOOKS):
            was_going_on = is_going_on()
            try:
                return FollowedLog(self._runs.files.log_file(run, attempt), self._runs.files.log_bytes, offset)
            except FileNotFoundError:
                if not was_going_on:
                    return None
            await asyncio.sleep(_LOOK_S)
        return None

    def _followed_to_the_end(self, printed: FollowedLog) -> None:
        self._streams.give_back()
        printed.close()

    async def artifact(self, request: Request) -> Response:
        run = _run(request)
        view, folder = await self._runs.artifact(run)
        name = f"{slug(view.model)}-run-{run}.zip"
        return Streamed(
            zipped(folder),
            media_type="application/zip",
            headers={"content-disposition": f'attachment; filename="{name}"', "etag": f'"{view.artifact}"'},
            done=partial(self._runs.discard, folder),
        )


_LOOK_S = 0.2
_LOOKS = 200
"""For a log that is to come: 40 seconds, within a gateway's patience."""


def _run(request: Request) -> str:
    """A run's key; as a version it is written with `run-` before it."""
    return str(request.path_params["run"]).removeprefix("run-")
