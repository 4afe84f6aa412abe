"""Kill -9 at every step of what is written: what is there is whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from loader.artifacts.files.files import Files
from loader.artifacts.files.local_files import LocalFiles
from loader.artifacts.files.object_stores import connect
from loader.artifacts.files.remote_files import RemoteFiles
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from tests.emulators import address
from tests.serving import ROOT

CONTENT = {"a.bin": b"a" * 2_000_000, "b/c.txt": b"c", "d": b""}
KEY = "0123456789ab"

WRITES = """
import os, signal, sys
from functools import partial
from pathlib import Path
from loader.artifacts.files.local_files import LocalFiles
from loader.artifacts.files.object_stores import connect
from loader.artifacts.records import RunRecords
from loader.artifacts.files.remote_files import RemoteFiles
from loader.artifacts.store import ArtifactStore

where, does, last, argument = sys.argv[1:]
left = int(last)

def step(name):
    global left
    left -= 1
    if left < 0:
        print(name, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

files = RemoteFiles(partial(connect, where), step) if "://" in where else LocalFiles(Path(where), step)
if does == "put":
    ArtifactStore(files).put(Path(argument))
elif does == "delete":
    ArtifactStore(files).delete(argument)
else:
    RunRecords(files).put_once("Iris", "0123456789ab", "result.json", argument.encode())
"""


def places(kind: str, tmp_path: Path, endpoint: str) -> Iterator[str]:
    while True:
        name = uuid.uuid4().hex
        yield str(tmp_path / name) if kind == "local" else address(endpoint, name)


def opened(where: str, later: float = 0.0) -> Files:
    """With a clock that is `later` seconds ahead."""
    import time

    def now() -> float:
        return time.time() + later

    return RemoteFiles(partial(connect, where), now=now) if "://" in where else LocalFiles(Path(where), now=now)


def killed_at(where: str, does: str, step: int, argument: str) -> str | None:
    """The step's name; None if there is no such step, and all was done."""
    command = [sys.executable, "-c", WRITES, where, does, str(step), argument]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL)
    return done.stdout.strip() if done.returncode else None


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(content)
    return tmp_path / "out"


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_put_that_is_killed_anywhere_leaves_a_whole_artifact_or_none(
    kind: str, out: Path, tmp_path: Path, s3_endpoint: str
) -> None:
    steps = []
    for step, where in enumerate(places(kind, tmp_path, s3_endpoint)):
        name = killed_at(where, "put", step, str(out))
        found = fetched(where, tmp_path / f"{kind}-{step}")
        steps.append((name, len(found)))
        assert all(content == CONTENT for content in found)
        ArtifactStore(opened(where)).put(out)
        assert fetched(where, tmp_path / f"{kind}-{step}-again") == [CONTENT]
        if name is None:
            break
    whole = {"local": ["renamed", None], "s3": ["last", None]}[kind]
    assert [name for name, count in steps if count] == whole, steps
    assert len(steps) > len(CONTENT) + 2


def fetched(where: str, into: Path) -> list[dict[str, bytes]]:
    """The content of every artifact that is there."""
    store = ArtifactStore(opened(where))
    found = []
    for number, artifact in enumerate(store.list()):
        at = into / str(number)
        store.fetch(artifact.name, at)
        found.append({str(path.relative_to(at)): path.read_bytes() for path in at.rglob("*") if path.is_file()})
    return found


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_delete_that_is_killed_leaves_no_part_that_passes_for_an_artifact(
    kind: str, out: Path, tmp_path: Path, s3_endpoint: str
) -> None:
    where = next(places(kind, tmp_path, s3_endpoint))
    id = ArtifactStore(opened(where)).put(out)
    assert killed_at(where, "delete", 0, id) == "hidden"
    assert not ArtifactStore(opened(where)).has(id)
    assert ArtifactStore(opened(where)).list() == []


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_what_a_killed_put_left_is_removed_once_nobody_can_be_writing_it(
    kind: str, out: Path, tmp_path: Path, s3_endpoint: str
) -> None:
    where = next(places(kind, tmp_path, s3_endpoint))
    assert killed_at(where, "put", 2, str(out))
    assert left(where)
    ArtifactStore(opened(where)).tidy()
    assert left(where)
    ArtifactStore(opened(where, later=100_000)).tidy()
    assert not left(where)


def left(where: str) -> bool:
    if "://" in where:
        return bool(opened(where).files("artifacts"))
    return any(path.is_file() for path in Path(where).rglob("*"))


def test_an_upload_in_progress_is_not_removed_however_long_it_takes(out: Path, tmp_path: Path) -> None:
    """Not even by a clock that says it began long ago."""

    def step(_: str) -> None:
        ArtifactStore(opened(str(tmp_path / "store"), later=100_000)).tidy()

    id = ArtifactStore(LocalFiles(tmp_path / "store", step)).put(out)
    assert fetched(str(tmp_path / "store"), tmp_path / "into") == [CONTENT]
    assert RunRecords(LocalFiles(tmp_path / "store", step)).put_once("Iris", KEY, "result.json", id.encode())


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_result_whose_writer_was_killed_is_whole_or_can_be_written_by_another(
    kind: str, tmp_path: Path, s3_endpoint: str
) -> None:
    for step, where in enumerate(places(kind, tmp_path, s3_endpoint)):
        result = json.dumps({"state": "succeeded", "step": step})
        name = killed_at(where, "record", step, result)
        records = RunRecords(opened(where))
        found = records.get("Iris", KEY, "result.json")
        assert found in (None, result.encode())
        if name is None:
            break
        if name != "turn":  # whose owner counts as living for a minute
            assert records.put_once("Iris", KEY, "result.json", b"{}") == (found is None)
    assert step == 2
