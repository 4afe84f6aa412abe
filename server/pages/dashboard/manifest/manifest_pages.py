"""The routes of the form that edits a model's `model.yaml`: what it changes becomes a commit."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import PawlError, ReleaseFailed, SourceError
from core.events import as_reason
from core.paths import PAGE_CONFIGURATION, PAGE_EDIT
from server.http.access import Access, actor_of
from server.http.bodies import read_form
from server.pages.dashboard.manifest.form import ManifestForm, blank, filled
from server.pages.dashboard.model_page import ModelPage
from server.pages.links import links
from server.uploads.errors import NotKept, StillUnderWay
from server.uploads.submission import Author
from server.uploads.uploads import Uploads

_REASON = "Say why: it is kept with your name, in the commit's message."
_CHANGED = "The file was changed meanwhile, by somebody else or by a push."
_NOTHING = "Nothing differs from what is there."


class ManifestPages:
    """`{base}/-/models/{model}/edit`."""

    def __init__(self, base: str, access: Access, page: ModelPage, uploads: Uploads) -> None:
        self._base = base
        self._access = access
        self._page = page
        self._uploads = uploads

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_EDIT.template, self._access.reading(self.form)),
            Route(PAGE_EDIT.template, self._access.changing(self.edit), methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        try:
            text = await self._uploads.manifest(request.path_params["model"])
        except PawlError as refused:
            return self._show(request, ManifestForm((), "", str(refused)), {}, 503)
        return self._show(
            request, blank(text, as_text=request.query_params.get("as") == "text"), {"seen": _digest(text)}
        )

    async def edit(self, request: Request) -> Response:
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        form, model = await read_form(request), request.path_params["model"]
        try:
            before = await self._uploads.manifest(model)
        except PawlError as refused:
            return self._show(request, ManifestForm((), "", str(refused)), form, 503)
        shown, text = filled(before, form)
        reason = as_reason(form.get("reason", ""))
        if form.get("seen") != _digest(before):
            return self._show(request, shown, form, 409, _CHANGED)
        if shown.is_wrong or not reason or text == before:
            problem = "" if shown.is_wrong else _NOTHING if reason else _REASON
            return self._show(request, shown, form, 422, problem)
        try:
            await self._uploads.edit(model, text, before, Author(actor_of(request), reason))
        except StillUnderWay:
            pass  # the model's page tells how it ends
        except PawlError as refused:
            return self._show(request, shown, form, _status(refused), str(refused))
        where = PAGE_CONFIGURATION.of(quote(model, safe=""))
        return RedirectResponse(links(request, self._base).base + where, 303)

    def _show(
        self, request: Request, shown: ManifestForm, form: dict[str, str], status: int = 200, problem: str = ""
    ) -> Response:
        values = {
            "form": shown,
            "seen": form.get("seen", ""),
            "reason": form.get("reason", ""),
            "problem": problem,
            "is_changed": status == 409,
        }
        return self._page.render(request, "configuration", "dashboard/edit.html", values, status=status)


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()


def _status(refused: Exception) -> int:
    if isinstance(refused, ReleaseFailed):
        return 422
    return 503 if isinstance(refused, SourceError | NotKept) else 409
