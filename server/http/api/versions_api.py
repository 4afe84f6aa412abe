"""The admin API of versions: a model's history, how two versions differ, and what was live when."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import API_DEPLOYMENTS, API_DIFF, API_VERSION, API_VERSIONS
from server.http import parameters
from server.http.access import Access
from server.http.api.answering import answering
from server.http.api.lists import MOST, NEXT
from server.http.replies import Json
from server.versions.deployments import Deployments
from server.versions.versions import Versions

_MOST_VERSIONS = 200
"""In one answer: each is read out of git."""


class VersionsApi:
    """Routes under `{base}/-/api/models/`."""

    def __init__(self, access: Access, versions: Versions, deployments: Deployments) -> None:
        self._access = access
        self._versions = versions
        self._deployments = deployments

    def routes(self) -> list[Route]:
        reading = self._access.reading
        return [
            Route(API_VERSIONS.template, reading(answering(self.versions))),
            Route(API_VERSION.template, reading(answering(self.version))),
            Route(API_DIFF.template, reading(answering(self.diff))),
            Route(API_DEPLOYMENTS.template, reading(answering(self.deployments))),
        ]

    async def versions(self, request: Request) -> Response:
        query = request.query_params
        limit = parameters.count(query, "limit", default=50, most=MOST)
        cursor = query.get("cursor") or None
        return Json(await self._versions.listed(request.path_params["model"], min(limit, _MOST_VERSIONS), cursor))

    async def version(self, request: Request) -> Response:
        return Json(await self._versions.one(request.path_params["model"], request.path_params["version"]))

    async def diff(self, request: Request) -> Response:
        since = request.query_params.get("from") or None
        return Json(await self._versions.diff(request.path_params["model"], request.path_params["version"], since))

    async def deployments(self, request: Request) -> Response:
        query = request.query_params
        model = request.path_params["model"]
        await self._versions.check(model)
        found = await self._deployments.listed(
            model,
            limit=parameters.count(query, "limit", default=100, most=MOST),
            cursor=parameters.matching(query, "cursor", "[1-9][0-9]{0,8}", NEXT),
            at=parameters.moment(query, "at"),
        )
        return Json(found)
