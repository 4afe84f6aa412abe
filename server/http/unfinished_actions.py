"""What is answered where an action takes longer than its caller waits."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from core.paths import API_ACTION
from server.http.forwarded import prefix
from server.http.replies import Json
from server.steering.actions.actions import Action


def unfinished_answer(request: Request, base: str, action: Action) -> Response:
    """202, with where to ask. Of the address a proxy may have taken something off."""
    address = f"{prefix(request)}{base}{API_ACTION.template.replace('{id}', action.id)}"
    return Json(action, status_code=202, headers={"location": address})
