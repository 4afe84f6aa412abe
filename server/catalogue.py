"""What is served: `GET {base}/`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.replies import Json
from server.state import ModelState, ServerState


class Catalogue:
    """The list of what is served, for programs."""

    def __init__(self, base: str, state: Callable[[], ServerState]) -> None:
        self._base = base
        self._state = state

    def routes(self) -> list[Route]:
        return [Route("/", self.index)]

    async def index(self, request: Request) -> Response:
        state = self._state()
        prefix = request.headers.get("x-forwarded-prefix", "").rstrip("/") + self._base
        return Json({"models": {name: _entry(prefix, model) for name, model in state.models.items()}})


def _entry(prefix: str, model: ModelState) -> dict[str, object]:
    entry: dict[str, object] = {"url": f"{prefix}/{model.name}", "live": model.live is not None}
    if model.live is not None:
        entry |= {
            "version": model.live.version,
            "commit": model.live.commit,
            "description": model.live.manifest.description or model.live.description.doc,
        }
    if model.failure is not None:
        entry["failed"] = {"version": model.failure.version, "message": model.failure.message}
    return entry
