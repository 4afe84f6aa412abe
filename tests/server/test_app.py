from __future__ import annotations

from pathlib import Path

from starlette.routing import Route

from core.paths import ADMIN, OPEN_INFERENCE, PATHS, Kind
from core.settings import read_settings
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from registry.event_log import EventLog
from server.app import build_app
from server.http.access import Access
from server.http.admin_api import Admin
from server.http.runs_api import RunsApi
from server.pages.assembly import build_pages
from server.pages.facts_reader import FactsReader
from server.traffic.metrics import Metrics
from server.traffic.totals import Totals
from tests.loader.looks import looking
from tests.loader.pools import place, run
from tests.server.states import state
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.no_training import NoTraining


def test_the_daemon_answers_at_every_path_that_the_table_gives_it_and_at_no_other(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here, looking(here, tmp_path) as found:
            admin = Admin(read_settings({}), found.reconciler, EventLog(), state)
            files = open_files("", tmp_path / "data")
            runs = RunCatalogue(RunRecords(files), ArtifactStore(files), tmp_path / "runs", NoTraining())
            runs_api = RunsApi(Access(read_settings({})), runs, lambda _: True)
            access = Access(read_settings({}))
            log = EventLog()
            pages = build_pages(
                "", access, state, log, FactsReader(state, log, lambda _: {}, dict), found.reconciler, runs
            )
            app = build_app("", admin, runs_api, pages, Metrics(state, list, Totals()))
            answered = {route.path for route in app.routes if isinstance(route, Route)}
        given = {path.template for path in PATHS if path.kind is Kind.DAEMON} - {ADMIN.template}
        assert answered == given - {OPEN_INFERENCE.template}  # its name is kept, and nothing is there yet

    run(test())
