"""The routes by which people act on a model: a page that asks whether, and what it then does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.error_codes import ERROR_CODES
from core.errors import PawlError
from core.events import as_reason
from core.paths import PAGE_ACTION, PAGE_MODEL, PAGE_RETRY
from server.http.access import Access, actor_of
from server.http.bodies import read_form
from server.pages.dashboard.actions.confirmation import ACTS, Act, Confirmation, confirmation
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.versions.version_rows import VersionRow, version_row
from server.pages.facts import ModelFacts
from server.pages.links import links
from server.steering.actions.actions import Action
from server.steering.actions.error_codes import CODES, code_of
from server.steering.actions.steering import Asker, Steering
from server.versions.deployments import Deployments
from server.versions.versions import Versions

_LISTED = 100
_WAIT_S = 3.0
"""For an action to be over; the model's page tells of one that takes longer."""


class ActionsPages:
    """`{base}/-/models/{model}/actions/{action}`, and the retry."""

    def __init__(
        self,
        base: str,
        access: Access,
        page: ModelPage,
        steering: Steering,
        versions: Versions,
        deployments: Deployments,
    ) -> None:
        self._base = base
        self._access = access
        self._page = page
        self._steering = steering
        self._versions = versions
        self._deployments = deployments

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_ACTION.template, self._access.reading(self.ask)),
            Route(PAGE_ACTION.template, self._access.changing(self.act), methods=["POST"]),
            Route(PAGE_RETRY.template, self._access.changing(self.retry), methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        facts, act = await self._page.find(request), _act(request)
        if facts is None:
            return self._page.unknown(request)
        return await self._confirm(request, facts, act, request.query_params.get("version", ""))

    async def act(self, request: Request) -> Response:
        facts, act = await self._page.find(request), _act(request)
        if facts is None:
            return self._page.unknown(request)
        form = await read_form(request)
        version, reason = form.get("version", ""), as_reason(form.get("reason", ""))
        if not reason:
            return await self._confirm(request, facts, act, version, "Say why: it is kept in the ledger.", 422)
        asker = Asker(actor_of(request), reason, form.get("expect") or None)
        try:
            action = await self._begin(act, facts.name, version, asker)
        except tuple(CODES) as refused:
            status = ERROR_CODES[code_of(refused)].status
            return await self._confirm(request, facts, act, version, str(refused), status, reason)
        return await self._shown(request, action)

    async def retry(self, request: Request) -> Response:
        """Without a question: it changes nothing that is live."""
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        form = await read_form(request)
        asker = Asker(actor_of(request), as_reason(form.get("reason", "")))
        return await self._shown(request, await self._steering.retry(request.path_params["model"], asker))

    def _begin(self, act: Act, model: str, version: str, asker: Asker) -> Awaitable[Action]:
        steering = self._steering
        of_version: dict[str, Callable[[str, str, Asker], Awaitable[Action]]] = {
            "rollback": steering.roll_back,
            "pin": steering.pin,
            "accept": steering.accept,
            "load": steering.load,
            "unload": steering.unload,
        }
        return steering.unpin(model, asker) if act.name == "unpin" else of_version[act.name](model, version, asker)

    async def _shown(self, request: Request, action: Action) -> Response:
        """The model's page, once the action is over or some time has passed."""
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._steering.actions.over(action.id)
        except TimeoutError:
            pass
        model = quote(request.path_params["model"], safe="")
        return RedirectResponse(f"{links(request, self._base).base}{PAGE_MODEL.of(model)}?action={action.id}", 303)

    async def _confirm(
        self,
        request: Request,
        facts: ModelFacts,
        act: Act,
        version: str,
        problem: str = "",
        status: int = 200,
        reason: str = "",
    ) -> Response:
        found: Confirmation | None = None
        try:
            found = await self._confirmation(facts, act, version)
        except PawlError as error:
            problem, status = problem or str(error), 404
        values = {"confirmation": found, "problem": problem, "reason": reason}
        return self._page.render(request, "versions", "dashboard/confirm.html", values, status=status)

    async def _confirmation(self, facts: ModelFacts, act: Act, version: str) -> Confirmation | None:
        """None: there is no version to do it with."""
        now = datetime.now(UTC)
        rows = [version_row(one, now) for one in (await self._versions.listed(facts.name, _LISTED, None)).items]
        target = None
        if version:
            target = version_row(await self._versions.one(facts.name, version), now)
        elif act.name == "rollback":
            target = await self._earlier(facts.name, rows)
        elif act.name == "pin":
            target = next((row for row in rows if row.is_live), None)
        if target is None and act.names_version:
            return None
        pinned, folder_gone = facts.pin.version if facts.pin else "", facts.is_held_by_pin_alone
        return confirmation(act, facts.name, rows, target, pinned, folder_gone=folder_gone)

    async def _earlier(self, model: str, rows: list[VersionRow]) -> VersionRow | None:
        """What was live before, and was not turned down."""
        listed = await self._deployments.listed(model, _LISTED)
        by_commit = {row.full_commit: row for row in rows}
        earlier = (by_commit.get(one.commit) for one in listed.items)
        return next((row for row in earlier if row and not row.is_live and row.state != "rejected"), None)


def _act(request: Request) -> Act:
    name = request.path_params["action"]
    if name not in ACTS:
        raise HTTPException(404, f"there is no action {name[:100]!r}; there are {', '.join(ACTS)}")
    return ACTS[name]
