from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.runs.runs import RunResult
from core.runs.states import RunState
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.shipped import take_shipped
from loader.artifacts.store import ArtifactStore

KEY = "0123456789ab"


def opened(folder: Path) -> tuple[ArtifactStore, RunRecords]:
    files = open_files(folder.as_uri(), folder)
    return ArtifactStore(files), RunRecords(files)


def ship(folder: Path, content: str = "weights", model: str = "Iris") -> str:
    store, records = opened(folder)
    output = folder.parent / "output"
    output.mkdir(exist_ok=True)
    (output / "model.txt").write_text(content)
    id = store.put(output)
    result = RunResult(run=KEY, model=model, state=RunState.SUCCEEDED, artifact=id)
    records.put_once(model, KEY, "a1.json", b"{}")
    records.put_once(model, KEY, "result.json", msgspec.json.encode(result))
    return id


def test_what_is_shipped_is_taken_once_with_its_records(tmp_path: Path) -> None:
    id = ship(tmp_path / "shipped")
    store, records = opened(tmp_path / "own")
    assert take_shipped(tmp_path / "shipped", store, records) == [KEY]
    store.fetch(id, tmp_path / "fetched")
    assert (tmp_path / "fetched" / "model.txt").read_text() == "weights"
    assert set(records.names("Iris", KEY)) == {"a1.json", "result.json"}
    assert take_shipped(tmp_path / "shipped", store, records) == []


def test_the_stores_own_result_of_the_run_stays(tmp_path: Path) -> None:
    ship(tmp_path / "shipped")
    store, records = opened(tmp_path / "own")
    records.put_once("Iris", KEY, "result.json", b"own")
    assert take_shipped(tmp_path / "shipped", store, records) == []
    assert records.get("Iris", KEY, "result.json") == b"own"


def test_what_is_damaged_is_told_of_and_not_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    id = ship(tmp_path / "shipped")
    [file] = (tmp_path / "shipped" / "artifacts" / id).rglob("model.txt")
    file.chmod(0o644)
    file.write_text("wEights")
    store, records = opened(tmp_path / "own")
    assert take_shipped(tmp_path / "shipped", store, records) == []
    assert KEY in caplog.text
    assert not store.has(id)
    assert records.names("Iris", KEY) == ()


def test_nothing_is_shipped_where_there_is_no_such_folder(tmp_path: Path) -> None:
    store, records = opened(tmp_path / "own")
    assert take_shipped(tmp_path / "none", store, records) == []
