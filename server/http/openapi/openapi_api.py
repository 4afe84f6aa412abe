"""The route of the admin API's own OpenAPI document."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import API_OPENAPI
from server.http.access import Access
from server.http.openapi.document import admin_document
from server.http.openapi.table import OPERATIONS
from server.http.replies import Json


class OpenApiApi:
    """A route under `{base}/-/api/`."""

    def __init__(self, access: Access, base: str) -> None:
        self._access = access
        self._base = base

    def routes(self) -> list[Route]:
        return [Route(API_OPENAPI.template, self._access.reading(self.document))]

    async def document(self, request: Request) -> Response:
        told = request.headers.get("x-forwarded-prefix", "")
        prefix = told.rstrip("/") if re.fullmatch(r"(/[\w.~-]+)+/?", told) else ""
        return Json(admin_document(OPERATIONS, self._base, prefix))
