"""The admin API of what people decide over a model: pins, rollbacks, versions on demand, and how that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import (
    API_ACTION,
    API_ACTION_STREAM,
    API_PIN,
    API_RETRY,
    API_ROLLBACK,
    API_VERSION_ACCEPT,
    API_VERSION_LOAD,
    API_VERSION_UNLOAD,
)
from server.http import parameters
from server.http.access import Access, may_go_on
from server.http.api.answering import answering
from server.http.api.askers import Said, asker_of
from server.http.bodies import read_body
from server.http.event_streams import EventStreams, SentEvent
from server.http.replies import Json, error
from server.http.unfinished_actions import unfinished_answer
from server.steering.actions.actions import Action, ActionState
from server.steering.actions.steering import Asker, Steering

_WAIT_S = 30.0
_LONGEST_WAIT_S = 50.0
"""A gateway gives up on a silent daemon after 60."""


class PinSaid(Said, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: str


class RollbackSaid(Said, frozen=True, forbid_unknown_fields=True, kw_only=True):
    to: str | None = None


class SteeringApi:
    """Routes under `{base}/-/api/`."""

    def __init__(self, access: Access, steering: Steering, streams: EventStreams, base: str) -> None:
        self._access = access
        self._steering = steering
        self._streams = streams
        self._base = base

    def routes(self) -> list[Route]:
        changing, reading = self._access.changing, self._access.reading
        post = ["POST"]
        return [
            Route(API_PIN.template, changing(answering(self.pin)), methods=["PUT"]),
            Route(API_PIN.template, changing(answering(self.unpin)), methods=["DELETE"]),
            Route(API_ROLLBACK.template, changing(answering(self.roll_back)), methods=post),
            Route(API_RETRY.template, changing(answering(self.retry)), methods=post),
            Route(API_VERSION_ACCEPT.template, changing(answering(self.accept)), methods=post),
            Route(API_VERSION_LOAD.template, changing(answering(self.load)), methods=post),
            Route(API_VERSION_UNLOAD.template, changing(answering(self.unload)), methods=post),
            Route(API_ACTION.template, reading(self.action)),
            Route(API_ACTION_STREAM.template, reading(answering(self.stream))),
        ]

    async def pin(self, request: Request) -> Response:
        said = await read_body(request, PinSaid)
        return await self._done(
            request, lambda: self._steering.pin(_model(request), said.version, asker_of(request, said))
        )

    async def unpin(self, request: Request) -> Response:
        said = await read_body(request, Said)
        return await self._done(request, lambda: self._steering.unpin(_model(request), asker_of(request, said)))

    async def roll_back(self, request: Request) -> Response:
        said = await read_body(request, RollbackSaid)
        return await self._done(
            request, lambda: self._steering.roll_back(_model(request), said.to, asker_of(request, said))
        )

    async def retry(self, request: Request) -> Response:
        said = await read_body(request, Said)
        return await self._done(request, lambda: self._steering.retry(_model(request), asker_of(request, said)))

    async def accept(self, request: Request) -> Response:
        return await self._on_version(request, self._steering.accept)

    async def load(self, request: Request) -> Response:
        return await self._on_version(request, self._steering.load)

    async def unload(self, request: Request) -> Response:
        return await self._on_version(request, self._steering.unload)

    async def action(self, request: Request) -> Response:
        found = self._steering.actions.find(request.path_params["id"])
        return _action_unknown(request) if found is None else Json(found)

    async def stream(self, request: Request) -> Response:
        """The action as server-sent events, again at each step, until it is over."""
        id = request.path_params["id"]
        if self._steering.actions.find(id) is None:
            return _action_unknown(request)
        return self._streams.answer(self._told(id), may_go_on(request))

    async def _told(self, id: str) -> AsyncIterator[SentEvent]:
        number = 0
        async for action in self._steering.actions.follow(id):
            number += 1
            yield SentEvent(id=f"{id}-{number}", event=action.state.value, data=action)

    async def _on_version(self, request: Request, do: Callable[[str, str, Asker], Awaitable[Action]]) -> Response:
        said = await read_body(request, Said)
        return await self._done(
            request, lambda: do(_model(request), request.path_params["version"], asker_of(request, said))
        )

    async def _done(self, request: Request, begin: Callable[[], Awaitable[Action]]) -> Response:
        """What came of the action; 202 where that is not known within the time."""
        query = request.query_params
        wait_s = parameters.seconds(query, "wait") if query.get("wait") else _WAIT_S
        action = await begin()
        try:
            async with asyncio.timeout(min(wait_s, _LONGEST_WAIT_S)):
                action = await self._steering.actions.over(action.id)
        except TimeoutError:
            action = self._steering.actions.find(action.id) or action
        return _told(action) if action.is_over else unfinished_answer(request, self._base, action)


def _told(action: Action) -> Response:
    if action.state is not ActionState.FAILED:
        return Json(action)
    return error(action.code, action.message, **_facts_of_action(action))


def _facts_of_action(action: Action) -> dict[str, object]:
    more = {"stage": action.stage} if action.stage else {}
    return {"action": action.id, "version": action.version, "withdrawn": action.withdrawn, **more}


def _action_unknown(request: Request) -> Response:
    id = request.path_params["id"]
    return error("action_not_found", f"no action {id[:40]!r} is known; the events tell what was done before a restart")


def _model(request: Request) -> str:
    return str(request.path_params["model"])
