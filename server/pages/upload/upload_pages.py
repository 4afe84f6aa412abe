"""The routes of uploads and deletions: forms, each of which becomes a commit."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import PawlError, SourceError
from core.events import as_reason
from core.paths import PAGE_DELETE, PAGE_MODEL, PAGE_MODELS, PAGE_UPLOAD
from server.http.access import Access, actor_of
from server.http.bodies import read_form
from server.pages.dashboard.model_page import ModelPage
from server.pages.layout.renderer import Renderer
from server.pages.links import links
from server.pages.upload.zip_form import FormInvalid, FormNotKept, ZipForm, read_zip_form
from server.uploads.errors import NotKept, StillUnderWay
from server.uploads.submission import Author
from server.uploads.uploads import Uploads

_MOST_COMING_IN = 4
"""Forms of which a disk holds a part at one time."""
_REASON = "Say why: it is kept in the ledger, and in the commit's message."


class UploadPages:
    """`{base}/-/upload`, and the deletion of a model."""

    def __init__(
        self,
        base: str,
        access: Access,
        renderer: Renderer,
        page: ModelPage,
        uploads: Uploads,
        head: Callable[[], str],
    ) -> None:
        """`head`: of what is followed, as it was looked at last."""
        self._base = base
        self._access = access
        self._renderer = renderer
        self._page = page
        self._uploads = uploads
        self._head = head
        self._coming_in = 0

    def routes(self) -> list[Route]:
        reading, changing = self._access.reading, self._access.changing
        return [
            Route(PAGE_UPLOAD.template, reading(self.form)),
            Route(PAGE_UPLOAD.template, changing(self.upload), methods=["POST"]),
            Route(PAGE_DELETE.template, reading(self.ask)),
            Route(PAGE_DELETE.template, changing(self.delete), methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        return self._form(request, {"model": request.query_params.get("model", ""), "head": self._head()})

    async def upload(self, request: Request) -> Response:
        if self._coming_in >= _MOST_COMING_IN:
            busy = f"{_MOST_COMING_IN} uploads are coming in, as many as may; try again soon."
            return self._form(request, {}, busy, 503)
        self._coming_in += 1
        try:
            async with read_zip_form(request, self._uploads.most_bytes) as form:
                return await self._taken(request, form)
        except FormInvalid as invalid:
            return self._form(request, {}, str(invalid), 400)
        except FormNotKept as full:
            return self._form(request, {}, str(full), 503)
        finally:
            self._coming_in -= 1

    async def ask(self, request: Request) -> Response:
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        return self._question(request, self._head())

    async def delete(self, request: Request) -> Response:
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        form, model = await read_form(request), request.path_params["model"]
        reason, head = as_reason(form.get("reason", "")), form.get("head", "")
        if not reason:
            return self._question(request, head, _REASON, 422)
        try:
            await self._uploads.delete(model, Author(actor_of(request), reason, head))
        except StillUnderWay:
            pass  # the model's page tells how it ends
        except PawlError as refused:
            return self._question(request, self._head(), str(refused), _status(refused))
        return RedirectResponse(links(request, self._base).base + PAGE_MODELS.template, 303)

    async def _taken(self, request: Request, form: ZipForm) -> Response:
        fields = form.fields
        model, reason = fields.get("model", "").strip(), as_reason(fields.get("reason", ""))
        if form.file is None or not model or not reason:
            lacking = "Choose a zip, name the model and say why."
            return self._form(request, fields, lacking, 422)
        try:
            author = Author(actor_of(request), reason, fields.get("head", ""))
            await self._uploads.put(model, form.pieces(), author)
        except StillUnderWay:
            pass  # the model's page tells how it ends
        except PawlError as refused:
            return self._form(request, {**fields, "head": self._head()}, str(refused), _status(refused))
        where = PAGE_MODEL.of(quote(model, safe=""))
        return RedirectResponse(links(request, self._base).base + where, 303)

    def _form(self, request: Request, fields: dict[str, str], problem: str = "", status: int = 200) -> Response:
        shown = {name: fields.get(name, "") for name in ("model", "reason", "head")}
        values = {"form": shown, "problem": problem, "most": self._uploads.most_bytes}
        return self._renderer.render(request, "upload/upload.html", values, here="models", status=status)

    def _question(self, request: Request, head: str, problem: str = "", status: int = 200) -> Response:
        values = {"problem": problem, "head": head}
        return self._page.render(request, "configuration", "upload/delete.html", values, status=status)


def _status(refused: Exception) -> int:
    return 503 if isinstance(refused, SourceError | NotKept) else 409
