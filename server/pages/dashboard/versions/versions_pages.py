"""The routes of a model's versions, their differences, what was live when, and what its workers print."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import PawlError
from core.paths import PAGE_COMPARE, PAGE_DEPLOYMENTS, PAGE_LOGS, PAGE_VERSIONS
from loader.sources.past import CursorUnknown
from loader.workers.printed_lines import PrintedLines
from server.http import parameters
from server.http.access import Access, Handler
from server.http.api.lists import NEXT
from server.pages.commit_texts import CommitTexts
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.versions.compared_traffic import compared_traffic
from server.pages.dashboard.versions.comparison import comparison
from server.pages.dashboard.versions.deployment_rows import deployment_row
from server.pages.dashboard.versions.log_lines import log_lines
from server.pages.dashboard.versions.version_rows import version_row
from server.pages.layout.chips import ROLES, STATES, WORDS
from server.pages.layout.moments import moment
from server.traffic.history.history import TrafficHistory
from server.versions.deployments import Deployments
from server.versions.situations import Situations
from server.versions.version_reader import ModelNotFound
from server.versions.versions import Versions

_PAGE = 25
_CHOICES = 50
"""Versions that a comparison offers."""
_LINES = 500
_WORDS = [(chip, WORDS[name]) for name, chip in (STATES | ROLES).items()]


class VersionsPages:
    """`{base}/-/models/{model}/versions`, `compare`, `deployments` and `logs`."""

    def __init__(
        self,
        access: Access,
        page: ModelPage,
        versions: Versions,
        deployments: Deployments,
        lines: PrintedLines,
        situations: Situations,
        history: TrafficHistory,
        commits: CommitTexts,
    ) -> None:
        self._access = access
        self._page = page
        self._versions = versions
        self._deployments = deployments
        self._lines = lines
        self._situations = situations
        self._history = history
        self._commits = commits

    def routes(self) -> list[Route]:
        return [
            Route(path.template, self._access.reading(self._of_known(answer)))
            for path, answer in (
                (PAGE_VERSIONS, self.versions),
                (PAGE_COMPARE, self.compare),
                (PAGE_DEPLOYMENTS, self.deployments),
                (PAGE_LOGS, self.logs),
            )
        ]

    async def versions(self, request: Request) -> Response:
        model, now = request.path_params["model"], datetime.now(UTC)
        values: dict[str, object] = {"words": _WORDS, "problem": "", "rows": (), "next": None}
        try:
            found = await self._versions.listed(model, _PAGE, request.query_params.get("cursor") or None)
            values |= {"rows": [version_row(one, now) for one in found.items], "next": found.next}
        except CursorUnknown as error:
            raise parameters.ParameterInvalid("cursor", request.query_params.get("cursor", ""), NEXT) from error
        except PawlError as error:
            values["problem"] = str(error)
        return self._page.render(request, "versions", "dashboard/versions.html", values)

    async def compare(self, request: Request) -> Response:
        """Of the newest version with the live one, unless others are asked for."""
        model, query, now = request.path_params["model"], request.query_params, datetime.now(UTC)
        values: dict[str, object] = {"choices": (), "problem": "", "found": None, "traffic": ()}
        values |= {"before": None, "after": None}
        status = 200
        try:
            listed = await self._versions.listed(model, _CHOICES, None)
            values["choices"] = [version_row(one, now) for one in listed.items]
            if listed.items:
                after = query.get("to") or await self._newest(model)
                view = await self._versions.diff(model, after, query.get("from") or None)
                values |= {
                    "found": comparison(view),
                    "before": version_row(view.before, now),
                    "after": version_row(view.after, now),
                    "traffic": await compared_traffic(
                        self._history, model, view.before.version, view.after.version, now
                    ),
                }
        except PawlError as error:
            values["problem"], status = str(error), 404
        return self._page.render(request, "compare", "dashboard/compare.html", values, status=status)

    async def _newest(self, model: str) -> str:
        """Of the history: a longer list begins with what is live and was removed from it."""
        return (await self._versions.listed(model, 1)).items[0].commit

    async def deployments(self, request: Request) -> Response:
        model, query, now = request.path_params["model"], request.query_params, datetime.now(UTC)
        at = _moment(query)
        cursor = parameters.matching(query, "cursor", "[1-9][0-9]{0,17}", NEXT)
        values: dict[str, object] = {
            "at_text": query.get("at", ""),
            "asked": moment(at, now) if at else None,
            "problem": "",
            "rows": (),
            "next": None,
        }
        try:
            found = await self._deployments.listed(model, limit=_PAGE, cursor=cursor, at=at)
            texts = await self._commits.of((model, one.version, one.commit) for one in found.items)
            rows = [deployment_row(one, now, texts.get(one.commit)) for one in found.items]
            values |= {"rows": rows, "next": found.next}
        except PawlError as error:
            values["problem"] = str(error)
        return self._page.render(request, "deployments", "dashboard/deployments.html", values)

    async def logs(self, request: Request) -> Response:
        model, version = request.path_params["model"], request.query_params.get("version", "").strip()
        values: dict[str, object] = {"version": version, "problem": "", "lines": ()}
        status = 200
        try:
            release = await self._versions.release(model, version) if version else None
            lines = self._lines.newest(model, release, most=_LINES)
            values["lines"] = log_lines(lines, self._situations.labels(model))
        except PawlError as error:
            values["problem"], status = str(error), 404
        return self._page.render(request, "logs", "dashboard/logs.html", values, status=status)

    def _of_known(self, answer: Handler) -> Handler:
        """Of a model that is followed, or once was."""

        async def of_known(request: Request) -> Response:
            try:
                await self._versions.check(request.path_params["model"])
            except ModelNotFound:
                return self._page.unknown(request)
            return await answer(request)

        return of_known


def _moment(query: Mapping[str, str]) -> datetime | None:
    """As people write it, in UTC, or with its zone."""
    text = query.get("at", "").strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return parameters.moment({"at": text}, "at")
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
