"""The admin API and the webhook: what an operator, or a git server, asks of the daemon."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.settings import Settings
from loader.reconcile import ModelUnknown, Reconciler
from server import parameters, webhook
from server.diary import Diary
from server.replies import Json, error
from server.state import ServerState
from server.sync import Synced, sync

_LONGEST_WAIT_S = 50.0
"""Of a sync; a gateway gives up on a silent daemon after 60."""


class Admin:
    """Routes under `{base}/-/`."""

    def __init__(
        self, settings: Settings, reconciler: Reconciler, diary: Diary, state: Callable[[], ServerState]
    ) -> None:
        self._settings = settings
        self._reconciler = reconciler
        self._diary = diary
        self._state = state
        self._open_to_readers = not settings.admin_token and _is_loopback(settings.host)

    def routes(self) -> list[Route]:
        return [
            Route("/-/sync", self.sync, methods=["POST"]),
            Route("/-/api/models", self._reading(self.models)),
            Route("/-/api/models/{model}", self._reading(self.model)),
            Route("/-/api/models/{model}/retry", self._writing(self.retry), methods=["POST"]),
            Route("/-/api/events", self._reading(self.events)),
        ]

    async def sync(self, request: Request) -> Response:
        """Look at the repository now. `?wait=SECONDS` answers once what is found is live or has failed."""
        if not await self._may_sync(request):
            return self._refusal(bool(self._settings.admin_token or self._settings.webhook_secret))
        wait_s = parameters.seconds(request.query_params, "wait")
        if not wait_s:
            self._reconciler.wake()
            return Json(Synced(head=self._reconciler.head, models={}), status_code=202)
        found, is_all = await sync(self._reconciler, min(wait_s, _LONGEST_WAIT_S))
        return Json(found, status_code=200 if is_all else 202)

    async def models(self, request: Request) -> Response:
        return Json(self._state())

    async def model(self, request: Request) -> Response:
        name = request.path_params["model"]
        found = self._state().models.get(name)
        if found is None:
            return error(404, "model_not_found", f"no model {name[:100]!r} is followed")
        return Json({**_fields(found), "events": self._diary.newest(model=name, most=20)})

    async def retry(self, request: Request) -> Response:
        try:
            self._reconciler.retry(request.path_params["model"])
        except ModelUnknown as unknown:
            return error(404, "model_not_found", str(unknown))
        return Json({"retrying": True}, status_code=202)

    async def events(self, request: Request) -> Response:
        model = request.query_params.get("model")
        return Json({"events": self._diary.newest(model=model)})

    async def _may_sync(self, request: Request) -> bool:
        if webhook.is_token(request.headers, self._settings.admin_token):
            return True
        body = await _body(request, webhook.MAX_BYTES)
        return webhook.is_signed(request.headers, body, self._settings.webhook_secret)

    def _reading(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Anybody may read where only this machine reaches us and no token is set; else who has the token."""

        async def guarded(request: Request) -> Response:
            allowed = self._open_to_readers or webhook.is_token(request.headers, self._settings.admin_token)
            return await answer(request) if allowed else self._refusal(bool(self._settings.admin_token))

        return guarded

    def _writing(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            allowed = webhook.is_token(request.headers, self._settings.admin_token)
            return await answer(request) if allowed else self._refusal(bool(self._settings.admin_token))

        return guarded

    def _refusal(self, anybody_may: bool) -> Response:
        if not anybody_may:
            return error(
                403, "admin_disabled", "set ADMIN_TOKEN (and send it as 'Authorization: Bearer …') to use this"
            )
        refused = error(401, "unauthorized", "the token or the signature is missing or wrong")
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused


class BodyTooLarge(Exception):
    """The request's body is over the bound; the edge answers 413."""


async def _body(request: Request, most: int) -> bytes:
    """The body, never holding more than `most` bytes. Raises BodyTooLarge."""
    if int(request.headers.get("content-length", "0")) > most:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLarge
    return bytes(body)


def _fields(state: object) -> dict[str, object]:
    return {name: getattr(state, name) for name in state.__struct_fields__}  # type: ignore[attr-defined]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
