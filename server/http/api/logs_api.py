"""The admin API of what models' workers print: the last lines, and those that come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.paths import API_LOGS
from loader.workers.printed_lines import PrintedLine, PrintedLines
from server.http import parameters
from server.http.access import Access, may_go_on
from server.http.api.answering import answering
from server.http.api.lists import MOST, NEXT, page
from server.http.event_streams import EventStreams, SentEvent
from server.http.replies import Json
from server.versions.situations import Situations
from server.versions.versions import Versions

_LINE = "[1-9][0-9]{0,17}"


class LogsApi:
    """A route under `{base}/-/api/models/`."""

    def __init__(
        self,
        access: Access,
        lines: PrintedLines,
        versions: Versions,
        situations: Situations,
        streams: EventStreams,
    ) -> None:
        self._access = access
        self._lines = lines
        self._versions = versions
        self._situations = situations
        self._streams = streams

    def routes(self) -> list[Route]:
        return [Route(API_LOGS.template, self._access.reading(answering(self.logs)))]

    async def logs(self, request: Request) -> Response:
        """The newest lines first; as text, for people, in the order in which they were printed."""
        model, query = request.path_params["model"], request.query_params
        await self._versions.check(model)
        release = await self._versions.release(model, query["version"]) if query.get("version") else None
        limit = parameters.count(query, "limit", default=100, most=MOST)
        since = parameters.moment(query, "since")
        before = parameters.matching(query, "cursor", _LINE, NEXT)
        if parameters.one_of(query, "follow", ["0", "1"]) == "1":
            last = request.headers.get("last-event-id", "")
            found = self._lines.newest(model, release, since=since, most=limit)[::-1]
            place = int(last) if parameters.is_match(last, _LINE) else found[0].id - 1 if found else self._lines.last
            return self._streams.answer(self._follow(model, release, place), may_go_on(request))
        found = self._lines.newest(
            model, release, before=None if before is None else int(before), since=since, most=limit + 1
        )
        if _prefers_text(request.headers):
            return PlainTextResponse("".join(f"{line.line}\n" for line in found[:limit][::-1]))
        labels = self._situations.labels(model)
        return Json(page([_item(line, labels) for line in found], limit, lambda one: str(one["id"])))

    async def _follow(self, model: str, release: str | None, place: int) -> AsyncIterator[SentEvent]:
        while True:
            labels = self._situations.labels(model)
            for line in self._lines.after(place, model, release):
                place = line.id
                yield SentEvent(id=str(line.id), event="line", data=_item(line, labels))
            if not self._lines.after(place, model, release):
                await self._lines.news.wait()


def _item(line: PrintedLine, labels: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": str(line.id),
        "at": line.at,
        "version": labels.get(line.release),
        "release": line.release,
        "line": line.line,
    }


def _prefers_text(headers: Mapping[str, str]) -> bool:
    return headers.get("accept", "").split(",")[0].split(";")[0].strip() == "text/plain"
