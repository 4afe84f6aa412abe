"""Looking at the repository because somebody asks: the webhook, and where an older tool had it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import REFACTOR, SYNC
from loader.reconcile import Reconciler
from server.http import parameters
from server.http.access import Access
from server.http.api.sync import Synced, sync
from server.http.replies import Json

_LONGEST_WAIT_S = 50.0
"""Of a sync; a gateway gives up on a silent daemon after 60."""


class SyncApi:
    """Routes under `{base}`."""

    def __init__(self, access: Access, reconciler: Reconciler) -> None:
        self._reconciler = reconciler
        self._access = access

    def routes(self) -> list[Route]:
        return [
            Route(SYNC.template, self.sync, methods=["POST"]),
            Route(REFACTOR.template, self.sync, methods=["GET"]),
        ]

    async def sync(self, request: Request) -> Response:
        """Look at the repository now. `?wait=SECONDS` answers once what is found is live or has failed."""
        if refusal := await self._access.refuse_sync(request):
            return refusal
        wait_s = parameters.seconds(request.query_params, "wait")
        if not wait_s:
            self._reconciler.ask()
            return Json(Synced(head=self._reconciler.known_source.head, models={}), status_code=202)
        found, is_all = await sync(self._reconciler, min(wait_s, _LONGEST_WAIT_S))
        return Json(found, status_code=200 if is_all else 202)
