from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from trainer.catalogue.index import RunIndex, page
from trainer.records.record_names import ACCEPTED, RESULT, attempt_record, result_record, retry_record

BEGAN = datetime(2026, 6, 21, 12, tzinfo=UTC)
KEY = "0123456789ab"


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return RunRecords(open_files("", tmp_path))


def put(records: RunRecords, name: str, state: RunState, key: str = KEY, model: str = "Breast.Cancer") -> None:
    if name.startswith("a") and name != ACCEPTED:
        content = msgspec.json.encode(AttemptResult(run=key, attempt=int(name[1]), model=model, state=state))
    else:
        queued_at = BEGAN + timedelta(seconds=int(key, 16) % 10_000)
        content = msgspec.json.encode(RunResult(run=key, model=model, state=state, queued_at=queued_at))
    assert records.put_once(model, key, name, content)


def test_what_became_of_a_run_is_what_was_written_last_in_its_course(records: RunRecords) -> None:
    index = RunIndex(records)
    course = [
        (attempt_record(1), RunState.FAILED, RunState.FAILED),
        (attempt_record(2), RunState.SUCCEEDED, RunState.EVALUATING),
        (RESULT, RunState.FAILED, RunState.FAILED),
        (retry_record(2), RunState.QUEUED, RunState.EVALUATING),
        (attempt_record(3), RunState.SUCCEEDED, RunState.EVALUATING),
        (result_record(2), RunState.REJECTED, RunState.REJECTED),
        (ACCEPTED, RunState.SUCCEEDED, RunState.SUCCEEDED),
    ]
    for name, written, told in course:
        put(records, name, written)
        found = index.reread("Breast.Cancer", KEY)
        assert found is not None
        assert (name, found.state, found.accepted) == (name, told, name == ACCEPTED)


def test_runs_of_all_models_are_found_and_those_that_were_removed_are_not(records: RunRecords, tmp_path: Path) -> None:
    index = RunIndex(records)
    assert not index.is_filled
    put(records, RESULT, RunState.FAILED, "0" * 12, "Iris")
    put(records, RESULT, RunState.FAILED, "1" * 12)
    index.refresh()
    assert [(view.model, view.run) for view in index.newest_first()] == [
        ("Breast.Cancer", "1" * 12),
        ("Iris", "0" * 12),
    ]
    for path in (tmp_path / "artifacts" / "runs").glob("*/000000000000/*"):
        path.unlink()
    index.refresh()
    assert index.find("0" * 12) is None
    assert index.find("1" * 12) is not None
    assert index.is_filled


def test_a_refresh_reads_only_what_is_new(records: RunRecords, tmp_path: Path) -> None:
    index = RunIndex(records)
    put(records, RESULT, RunState.FAILED)
    index.refresh()
    for path in (tmp_path / "artifacts" / "runs").glob("*/*/result.json"):
        path.chmod(0o600)
        path.write_bytes(b"never read again")
    index.refresh()
    found = index.find(KEY)
    assert found is not None
    assert found.state is RunState.FAILED


def test_pages_hold_each_run_once_whatever_their_size(records: RunRecords) -> None:
    keys = [f"{number:012x}" for number in range(10)]
    for key in keys:
        put(records, RESULT, RunState.FAILED, key)
    index = RunIndex(records)
    index.refresh()
    for limit in (1, 3, 5, 10, 11):
        found, cursor = page(index.newest_first(), limit, None)
        while cursor is not None:
            more, cursor = page(index.newest_first(), limit, cursor)
            found += more
        assert [view.run for view in found] == keys[::-1]
