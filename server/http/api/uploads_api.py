"""The admin API of models' folders: handed in as a zip, or taken away."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import ReleaseFailed
from core.paths import API_MODEL
from loader.sources.changes import HeadMoved, NotWritable
from server.http import parameters
from server.http.access import Access, BodyTooLarge
from server.http.api.answering import answering
from server.http.api.askers import Said, asker_of
from server.http.bodies import check_length, read_body
from server.http.replies import Json, error
from server.http.unfinished_actions import unfinished_answer
from server.steering.actions.steering import Asker, Steering
from server.uploads.archive import ArchiveInvalid
from server.uploads.error_codes import upload_code_of
from server.uploads.errors import NameTaken, NotKept, StillUnderWay, TooManyUploads, UploadTooLarge
from server.uploads.submission import Author, Uploaded
from server.uploads.uploads import LONGEST_WAIT_S, Uploads


class UploadsApi:
    """Routes under `{base}/-/api/`."""

    def __init__(self, access: Access, uploads: Uploads, steering: Steering, base: str) -> None:
        self._access = access
        self._steering = steering
        self._uploads = uploads
        self._base = base

    def routes(self) -> list[Route]:
        changing = self._access.changing
        return [
            Route(API_MODEL.template, changing(answering(self.put)), methods=["PUT"]),
            Route(API_MODEL.template, changing(answering(self.delete)), methods=["DELETE"]),
        ]

    async def put(self, request: Request) -> Response:
        """The body is a zip of the model's folder; `If-Match`: the head that its author saw."""
        check_length(request, self._uploads.most_bytes)
        model, asker = request.path_params["model"], asker_of(request, Said())
        await self._check(model, asker)
        taken = self._uploads.put(model, request.stream(), _author(request, asker), _wait_s(request))
        return await self._answered(request, taken)

    async def delete(self, request: Request) -> Response:
        model, asker = request.path_params["model"], asker_of(request, await read_body(request, Said))
        await self._check(model, asker)
        taken = self._uploads.delete(model, _author(request, asker), _wait_s(request))
        return await self._answered(request, taken)

    async def _check(self, model: str, asker: Asker) -> None:
        """Raises LiveChanged, and of a model that is to be seen live ModelUnknown."""
        if asker.expect is not None:
            await self._steering.seen(model, asker)

    async def _answered(self, request: Request, work: Awaitable[Uploaded]) -> Response:
        try:
            return Json(await work)
        except UploadTooLarge as refused:
            raise BodyTooLarge from refused
        except StillUnderWay as unfinished:
            return unfinished_answer(request, self._base, unfinished.action)
        except (HeadMoved, NotWritable, ArchiveInvalid, NameTaken, TooManyUploads, NotKept, ReleaseFailed) as refused:
            return _refusal(refused)


def _author(request: Request, asker: Asker) -> Author:
    head = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    return Author(asker.actor, asker.reason, "" if head == "*" else head)


def _wait_s(request: Request) -> float:
    query = request.query_params
    return parameters.seconds(query, "wait") if query.get("wait") else LONGEST_WAIT_S


def _refusal(refused: Exception) -> Response:
    if isinstance(refused, ReleaseFailed):
        return error("release_failed", f"nothing was changed: {refused}", stage=refused.stage)
    return error(upload_code_of(refused), str(refused))
