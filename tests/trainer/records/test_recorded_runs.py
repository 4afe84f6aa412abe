"""How often the store is asked for what is written of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from loader.artifacts.files.files import Stored
from loader.artifacts.files.local_files import LocalFiles
from loader.artifacts.records import RunRecords
from trainer.records.recorded_runs import RecordedRuns

RUN = "a" * 12


class CountedFiles(LocalFiles):
    """Counts how often something is listed."""

    listings = 0

    def files(self, under: str) -> list[Stored]:
        self.listings += 1
        return super().files(under)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def files(tmp_path: Path) -> CountedFiles:
    return CountedFiles(tmp_path)


def attempt() -> AttemptResult:
    return AttemptResult(run=RUN, attempt=1, model="Iris", state=RunState.SUCCEEDED)


def test_of_a_run_that_goes_on_the_store_is_asked_once_in_a_few_seconds(files: CountedFiles) -> None:
    clock = Clock()
    recorded_runs, other = RecordedRuns(RunRecords(files), clock), RecordedRuns(RunRecords(files))
    for _ in range(10):
        assert recorded_runs.recorded("Iris", RUN, goes_on=True).attempts == {}
    assert files.listings == 1
    other.record_attempt(attempt())
    assert recorded_runs.recorded("Iris", RUN, goes_on=True).attempts == {}
    clock.now += 6
    assert set(recorded_runs.recorded("Iris", RUN, goes_on=True).attempts) == {1}


def test_what_is_written_here_and_what_an_attempt_left_is_known_at_once(files: CountedFiles) -> None:
    recorded_runs, other = RecordedRuns(RunRecords(files), Clock()), RecordedRuns(RunRecords(files))
    recorded_runs.recorded("Iris", RUN, goes_on=True)
    other.record_attempt(attempt())
    assert set(recorded_runs.recorded("Iris", RUN).attempts) == {1}
    recorded_runs.recorded("Iris", RUN, goes_on=True)
    cancelled = RunResult(run=RUN, model="Iris", state=RunState.CANCELLED)
    recorded_runs.conclude(cancelled, None)
    assert recorded_runs.recorded("Iris", RUN, goes_on=True).result == cancelled
