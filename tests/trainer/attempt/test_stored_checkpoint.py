"""Checkpoints in the artifact store, for pods that share no folder."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from loader.artifacts.files.local_files import LocalFiles
from loader.artifacts.folder import Bounds
from loader.artifacts.store import ArtifactStore
from trainer.attempt.stored_checkpoint import StoredCheckpoint

ROOT = "checkpoints/0123456789ab"


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(LocalFiles(tmp_path / "store"), Bounds(bytes=1000), shares=False, root=ROOT)


def left(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_another_pod_goes_on_from_what_one_has_left(tmp_path: Path, store: ArtifactStore) -> None:
    first = StoredCheckpoint(store, left(tmp_path / "one", step="3", deep_er="x"))
    first.store()
    other = tmp_path / "other"
    StoredCheckpoint(store, other).restore()
    assert (other / "step").read_text() == "3"
    assert (other / "deep" / "er").read_text() == "x"
    assert (other / "step").stat().st_mode & 0o200, "the code writes the next one there"
    left(other, step="4")


def test_the_newest_is_kept_and_the_others_go(tmp_path: Path, store: ArtifactStore) -> None:
    folder = left(tmp_path / "one", step="3")
    checkpoint = StoredCheckpoint(store, folder)
    checkpoint.store()
    checkpoint.store()
    left(folder, step="10")
    checkpoint.store()
    assert len(store.list()) == 1
    StoredCheckpoint(store, tmp_path / "other").restore()
    assert (tmp_path / "other" / "step").read_text() == "10"


def test_a_pod_that_ends_while_one_is_being_stored_leaves_the_newest(tmp_path: Path) -> None:
    folder = left(tmp_path / "one", step="3")
    last: list[threading.Thread] = []

    def step(name: str) -> None:
        if name == "renamed" and not last:
            left(folder, step="10")
            last.append(threading.Thread(target=checkpoint.store))
            last[0].start()
            last[0].join(0.3)  # where both could store at once, it would be over by then

    files = LocalFiles(tmp_path / "store", step)
    checkpoint = StoredCheckpoint(ArtifactStore(files, shares=False, root=ROOT), folder)
    checkpoint.store()
    last[0].join()
    StoredCheckpoint(ArtifactStore(files, shares=False, root=ROOT), tmp_path / "other").restore()
    assert (tmp_path / "other" / "step").read_text() == "10"


def test_of_several_the_newest_that_is_whole_is_taken_up(tmp_path: Path, store: ArtifactStore) -> None:
    ids = [store.put(left(tmp_path / name, step=name)) for name in ("old", "new")]
    for id, age in zip(ids, (100, 0), strict=True):
        manifest = tmp_path / "store" / ROOT / id / "manifest.json"
        os.utime(manifest, (time.time() - age,) * 2)
    StoredCheckpoint(store, tmp_path / "first").restore()
    assert (tmp_path / "first" / "step").read_text() == "new"
    damaged = tmp_path / "store" / ROOT / ids[1] / "files" / "step"
    damaged.chmod(0o644)
    damaged.write_text("hen")
    StoredCheckpoint(store, tmp_path / "second").restore()
    assert (tmp_path / "second" / "step").read_text() == "old"


def test_what_is_there_is_not_replaced_and_nothing_is_nothing(tmp_path: Path, store: ArtifactStore) -> None:
    StoredCheckpoint(store, tmp_path / "none").restore()
    assert not (tmp_path / "none").exists()
    store.put(left(tmp_path / "one", step="3"))
    folder = left(tmp_path / "here", step="5")
    StoredCheckpoint(store, folder).restore()
    assert (folder / "step").read_text() == "5"


def test_once_nobody_needs_it_nothing_is_left(tmp_path: Path, store: ArtifactStore) -> None:
    checkpoint = StoredCheckpoint(store, left(tmp_path / "one", step="3"))
    checkpoint.store()
    checkpoint.remove()
    assert store.list() == []


def test_one_that_is_too_large_costs_no_run(
    tmp_path: Path, store: ArtifactStore, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = StoredCheckpoint(store, left(tmp_path / "one", step="3" * 2000))
    checkpoint.store()
    checkpoint.store()
    assert store.list() == []
    assert len([record for record in caplog.records if "the checkpoint is not stored" in record.message]) == 1
