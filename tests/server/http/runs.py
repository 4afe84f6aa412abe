"""Training runs as a test writes them down, and an app that shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from core.errors import NotTrainable
from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from core.settings.reading import read_settings
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from server.app import EXCEPTION_HANDLERS
from server.http.access import Access
from server.http.api.runs_api import RunsApi
from trainer.attempt.progress import Progress
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked, Doing
from trainer.records.record_names import ACCEPTED, RESULT, attempt_record, retry_record

TOKEN = "the-token"
BEGAN = datetime(2026, 6, 21, 12, tzinfo=UTC)


def key(number: int) -> str:
    return f"{number:012x}"


class Desk:
    """Has people's wishes written down as the trainer would, and trains nothing."""

    def __init__(self, records: RunRecords) -> None:
        self.records = records
        self.views: dict[str, RunView] = {}
        self.said: list[tuple[str, str, str]] = []
        self.trouble: Exception | None = None
        """What keeps it from doing anything."""

    def open(self) -> list[RunView]:
        return list(self.views.values())

    async def start(self, model: str, asked: Asked, by: str, doing: Doing) -> tuple[str, bool]:
        if model == "Plain":
            raise NotTrainable("Plain has no train.py and no train section in model.yaml; add one")
        run = key(0xA if asked.params is None else 0xB)
        if run in self.views:
            return run, False
        async with doing(model, run):
            self._try()
            self.views[run] = RunView(run=run, model=model, state=RunState.QUEUED, queued_at=BEGAN, started_by=by)
        return run, True

    async def cancel(self, run: RunView, by: str) -> None:
        self._try()
        self.said.append(("cancel", run.run, by))
        self.end(run, state=RunState.CANCELLED)

    async def retry(self, run: RunView, by: str) -> None:
        self._try()
        self.said.append(("retry", run.run, by))
        self.records.put_once(run.model, run.run, retry_record(run.attempts), b"{}")
        self.views[run.run] = msgspec.structs.replace(run, state=RunState.QUEUED, reason=None, message="")

    async def accept(self, run: RunView, by: str) -> None:
        self._try()
        self.said.append(("accept", run.run, by))
        taken = result(run.run, run.model, state=RunState.SUCCEEDED, artifact=run.artifact)
        self.records.put_once(run.model, run.run, ACCEPTED, msgspec.json.encode(taken))

    def _try(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def end(self, run: RunView, **fields: Any) -> None:
        self.records.put_once(run.model, run.run, RESULT, msgspec.json.encode(result(run.run, run.model, **fields)))
        self.views.pop(run.run, None)


def result(run: str, model: str, **fields: Any) -> RunResult:
    later = timedelta(minutes=int(run, 16))
    times = {"queued_at": BEGAN + later, "ended_at": BEGAN + later + timedelta(seconds=5)}
    return RunResult(**{"run": run, "model": model, "state": RunState.SUCCEEDED, "attempts": 1, **times, **fields})


class Runs:
    """A DATA_DIR, and what answers for it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        files = open_files("", data)
        self.records = RunRecords(files)
        self.artifacts = ArtifactStore(files)
        self.desk = Desk(self.records)
        self.catalogue = RunCatalogue(self.records, self.artifacts, data / "runs", self.desk, log_bytes=4096)
        settings = read_settings({"ADMIN_TOKEN": TOKEN})
        api = RunsApi(Access(settings), self.catalogue, lambda model: model in ("Iris", "Plain"))
        self.app = Starlette(routes=api.routes(), exception_handlers=EXCEPTION_HANDLERS)

    def ended(self, number: int, model: str = "Iris", **fields: Any) -> str:
        """A run that is over; the greater the number, the later."""
        self.desk.end(RunView(run=key(number), model=model, state=RunState.QUEUED), **fields)
        return key(number)

    def attempted(self, run: str, attempt: int = 1, **fields: Any) -> None:
        tried = AttemptResult(run=run, attempt=attempt, model="Iris", began_at=BEGAN, ended_at=BEGAN, **fields)
        self.records.put_once("Iris", run, attempt_record(attempt), msgspec.json.encode(tried))

    def running(self, number: int) -> tuple[RunView, Path, Progress]:
        """A run whose attempt goes on, the folder of the attempt, and what writes into that."""
        view = RunView(
            run=key(number),
            model="Iris",
            state=RunState.RUNNING,
            attempts=1,
            queued_at=BEGAN + timedelta(minutes=number),
        )
        self.desk.views[view.run] = view
        folder = self.data / "runs" / view.run / "a1"
        folder.mkdir(parents=True)
        return view, folder, Progress(folder, count(step=2).__next__)

    def artifact(self, folder: Path, **files: str) -> str:
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_text(content)
        return self.artifacts.put(folder)


@asynccontextmanager
async def asking(runs: Runs, token: str = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(runs.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here/-/api", headers=headers) as client:
        yield client
