"""The admin API of models' folders: handed in as a zip, or taken away."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import ReleaseFailed
from core.paths import API_MODEL
from loader.sources.changes import HeadMoved, NotWritable
from server.http.access import Access, BodyTooLarge, actor_of
from server.http.api.answering import answering
from server.http.bodies import check_length
from server.http.replies import Json, error
from server.uploads.archive import ArchiveInvalid
from server.uploads.uploads import NameTaken, TooManyUploads, Uploads, UploadTooLarge

_CODES: dict[type[Exception], str] = {
    HeadMoved: "conflict",
    NotWritable: "not_writable",
    ArchiveInvalid: "invalid_archive",
    NameTaken: "invalid_name",
    TooManyUploads: "overloaded",
}
_LONGEST_REASON = 1000


class UploadsApi:
    """Routes under `{base}/-/api/`."""

    def __init__(self, access: Access, uploads: Uploads) -> None:
        self._access = access
        self._uploads = uploads

    def routes(self) -> list[Route]:
        changing = self._access.changing
        return [
            Route(API_MODEL.template, changing(answering(self.put)), methods=["PUT"]),
            Route(API_MODEL.template, changing(answering(self.delete)), methods=["DELETE"]),
        ]

    async def put(self, request: Request) -> Response:
        """The body is a zip of the model's folder; `If-Match`: the head that its author saw."""
        model, reason, head = _asked(request)
        check_length(request, self._uploads.most_bytes)
        try:
            return Json(await self._uploads.put(model, request.stream(), actor_of(request), reason, head))
        except UploadTooLarge as refused:
            raise BodyTooLarge from refused
        except (HeadMoved, NotWritable, ArchiveInvalid, NameTaken, TooManyUploads, ReleaseFailed, OSError) as refused:
            return _refusal(refused)

    async def delete(self, request: Request) -> Response:
        model, reason, head = _asked(request)
        try:
            return Json(await self._uploads.delete(model, actor_of(request), reason, head))
        except (HeadMoved, NotWritable, OSError) as refused:
            return _refusal(refused)


def _asked(request: Request) -> tuple[str, str, str]:
    """The model, the reason, and the head that is expected."""
    head = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    reason = request.query_params.get("reason", "")[:_LONGEST_REASON]
    return request.path_params["model"], reason, "" if head == "*" else head


def _refusal(refused: Exception) -> Response:
    match refused:
        case ReleaseFailed():
            return error("release_failed", f"nothing was changed: {refused}", stage=refused.stage)
        case OSError():
            return error("not_ready", f"the upload could not be kept: {refused.strerror}; nothing was changed")
    return error(_CODES[type(refused)], str(refused))
