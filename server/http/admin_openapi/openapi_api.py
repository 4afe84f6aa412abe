"""The route of the admin API's own OpenAPI document."""

from __future__ import annotations

import re
from functools import lru_cache, partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import API_OPENAPI
from server.http.access import Access
from server.http.admin_openapi.document import admin_document
from server.http.admin_openapi.table.table import OPERATIONS

_PREFIXES = 8
"""Documents that are kept: making one takes long, and proxies are few."""


class OpenApiApi:
    """A route under `{base}/-/api/`."""

    def __init__(self, access: Access, base: str) -> None:
        self._access = access
        self._document = lru_cache(_PREFIXES)(partial(_encoded, base))

    def routes(self) -> list[Route]:
        return [Route(API_OPENAPI.template, self._access.reading(self.document))]

    async def document(self, request: Request) -> Response:
        told = request.headers.get("x-forwarded-prefix", "")
        prefix = told.rstrip("/") if re.fullmatch(r"(/[\w.~-]+)+/?", told) else ""
        return Response(self._document(prefix), media_type="application/json")


def _encoded(base: str, prefix: str) -> bytes:
    return msgspec.json.encode(admin_document(OPERATIONS, base, prefix))
