"""The routes of a model's training runs."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import RunNotFound, StoreUnavailable
from core.paths import PAGE_RUN, PAGE_RUNS
from server.http import parameters
from server.http.access import Access
from server.pages.dashboard.curves import curves
from server.pages.dashboard.model_page import ModelPage
from server.pages.dashboard.run_rows import run_row
from server.pages.layout import units
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.views import RunDetail

_PAGE = 50
_CURSOR = "[0-9a-f]{14}-[0-9a-f]{12}"
_LOG_SHOWN = 64 * 1024
"""Bytes of a log's end."""


class RunsPages:
    """`{base}/-/models/{model}/runs` and below."""

    def __init__(self, access: Access, page: ModelPage, runs: RunCatalogue) -> None:
        self._access = access
        self._page = page
        self._runs = runs

    def routes(self) -> list[Route]:
        return [
            Route(PAGE_RUNS.template, self._access.reading(self.runs)),
            Route(PAGE_RUN.template, self._access.reading(self.run)),
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
        key = str(request.path_params["run"])
        if await self._page.find(request) is None:
            return self._page.unknown(request)
        try:
            run = await self._runs.one(key)
            log = await self._runs.log(key, None)
        except (RunNotFound, StoreUnavailable) as error:
            return self._page.render(request, "runs", "dashboard/no_run.html", {"says": str(error)}, status=404)
        values = {
            "run": run_row(run, datetime.now(UTC)),
            "curves": curves(run.curve),
            "facts": run_facts(run),
            "detail": run.detail,
            "log": log[-_LOG_SHOWN:].decode(errors="replace"),
        }
        return self._page.render(request, "runs", "dashboard/run.html", values)


def run_facts(run: RunDetail) -> tuple[tuple[str, str], ...]:
    """What went into a run, and what it took."""
    found = (
        ("Commit", run.commit),
        ("Because of", run.started_by),
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
