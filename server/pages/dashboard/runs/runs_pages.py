"""The routes of a model's training runs."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import ArtifactGone, RunNotFound, RunStateConflict, StoreUnavailable
from core.events import as_reason
from core.paths import PAGE_RUN, PAGE_RUNS
from core.runs.states import RunState
from registry.errors import RegistryUnavailable
from server.http import parameters
from server.http.access import Access, actor_of
from server.http.api.run_actions import RunActions
from server.http.bodies import read_form
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.runs.curves import curves
from server.pages.dashboard.runs.run_rows import run_row
from server.pages.layout import units
from server.pages.links import links
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.views import RunDetail

_PAGE = 50
_CURSOR = "[0-9a-f]{14}-[0-9a-f]{12}"
_LOG_SHOWN = 64 * 1024
"""Bytes of a log's end."""


class RunsPages:
    """`{base}/-/models/{model}/runs` and below."""

    def __init__(self, base: str, access: Access, page: ModelPage, runs: RunCatalogue, actions: RunActions) -> None:
        self._base = base
        self._access = access
        self._page = page
        self._runs = runs
        self._actions = actions

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_RUNS.template, self._access.reading(self.runs)),
            Route(PAGE_RUN.template, self._access.reading(self.run)),
            Route(PAGE_RUN.template, self._access.changing(self.act), methods=["POST"]),
        ]

    async def runs(self, request: Request) -> Response:
        model = request.path_params["model"]
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        cursor = parameters.matching(request.query_params, "cursor", _CURSOR, "what `next` was in the answer before")
        now, problem, following = datetime.now(UTC), "", None
        try:
            found, following = await self._runs.listed(model=model, state=None, limit=_PAGE, cursor=cursor)
        except StoreUnavailable as error:
            found, problem = [], str(error)
        values = {"runs": [run_row(run, now) for run in found], "next": following, "problem": problem}
        return self._page.render(request, "runs", "dashboard/runs.html", values)

    async def run(self, request: Request) -> Response:
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        return await self._shown(request)

    async def act(self, request: Request) -> Response:
        """Cancel, retry or accept it, and show it again."""
        key, form = str(request.path_params["run"]), await read_form(request)
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        doing = {"cancel": self._actions.cancel, "retry": self._actions.retry, "accept": self._actions.accept}
        act, reason = doing.get(form.get("action", "")), as_reason(form.get("reason", ""))
        if act is None or not reason:
            return await self._shown(request, "Say why: it is kept in the ledger.", 422)
        try:
            await act(key, actor_of(request), reason)
        except RunNotFound:
            return await self._shown(request)
        except (RunStateConflict, StoreUnavailable, RegistryUnavailable, ArtifactGone) as refused:
            return await self._shown(request, str(refused), 409)
        where = PAGE_RUN.template.format(model=quote(request.path_params["model"], safe=""), run=quote(key, safe=""))
        return RedirectResponse(f"{links(request, self._base).base}{where}", 303)

    async def _shown(self, request: Request, problem: str = "", status: int = 200) -> Response:
        key = str(request.path_params["run"])
        try:
            run = await self._runs.one(key)
            log = await self._runs.log(key, None)
        except (RunNotFound, StoreUnavailable) as error:
            return self._page.render(request, "runs", "dashboard/no_run.html", {"says": str(error)}, status=404)
        values = {
            "run": run_row(run, datetime.now(UTC)),
            "acts": run_acts(run.state),
            "problem": problem,
            "curves": curves(run.curve),
            "facts": run_facts(run),
            "detail": run.detail,
            "log": log[-_LOG_SHOWN:].decode(errors="replace"),
        }
        return self._page.render(request, "runs", "dashboard/run.html", values, status=status)


def run_acts(state: RunState) -> tuple[tuple[str, str], ...]:
    """What can be done to a run in that state, and what the button says."""
    match state:
        case RunState.REJECTED:
            return ("accept", "Accept it all the same"), ("retry", "Run it again")
        case RunState.FAILED | RunState.CANCELLED | RunState.LOST:
            return (("retry", "Run it again"),)
        case RunState.SUCCEEDED | RunState.SUPERSEDED:
            return ()
    return (("cancel", "Cancel the run"),)


def run_facts(run: RunDetail) -> tuple[tuple[str, str], ...]:
    """What went into a run, and what it took."""
    found = (
        ("Commit", run.commit),
        ("Because of", "" if run.started_by == f"commit {run.commit}" else run.started_by),
        ("Parameters", _pairs(run.params)),
        ("Data", run.dataset_fingerprint),
        ("Validation", run.validation_fingerprint),
        ("Scores", ", ".join(f"{name} {units.number(score)}" for name, score in run.scores.items())),
        ("Compared", run.compared),
        ("Attempts", str(run.attempts)),
        ("Memory", f"{units.size(run.peak_memory)} at most" if run.peak_memory else ""),
        ("Processor", f"{run.cpu_seconds:.1f} s" if run.cpu_seconds else ""),
        ("Packages", str(len(run.packages)) if run.packages else ""),
        ("Artifact", run.artifact),
    )
    return tuple((name, value) for name, value in found if value)


def _pairs(values: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
