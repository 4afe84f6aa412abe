"""Stores that are slow, full, read-only, forbidden or gone: told as such, and as good as ever afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from loader.artifacts.files.deadlines import Deadlines, Late
from loader.artifacts.files.files import Files
from loader.artifacts.files.guarded_files import GuardedFiles
from loader.artifacts.files.local_files import LocalFiles
from loader.artifacts.files.object_stores import connect
from loader.artifacts.files.place import open_files
from loader.artifacts.files.remote_files import RemoteFiles
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from tests.disks import fill, small_disk
from tests.emulators import LOGIN, Door, address
from tests.waiting import wait_for

KEY = "0123456789ab"


@pytest.fixture
def door(s3_endpoint: str) -> Iterator[Door]:
    door = Door(s3_endpoint)
    yield door
    door.close()


def calls(files: Files, tmp_path: Path) -> list[Callable[[], object]]:
    """All that can be asked of a store."""
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    (out / "weights").write_bytes(b"w")
    store, records = ArtifactStore(files), RunRecords(files)
    return [
        lambda: store.put(out),
        lambda: store.fetch("0" * 32, tmp_path / "into"),
        lambda: store.has("0" * 32),
        lambda: store.size("0" * 32),
        lambda: store.delete("0" * 32),
        store.list,
        lambda: records.put_once("Iris", KEY, "result.json", b"{}"),
        lambda: records.get("Iris", KEY, "result.json"),
        records.list,
    ]


def _puts(files: Files, name: str) -> bool:
    """A store on a busy machine may be late once more."""
    with suppress(StoreUnavailable):
        RunRecords(files).put_once("Iris", KEY, name, b"{}")
        return RunRecords(files).get("Iris", KEY, name) == b"{}"
    return False


def test_a_store_that_forbids_is_unavailable_and_heals(door: Door, tmp_path: Path) -> None:
    files = open_files(address(door.endpoint, "forbidden"), tmp_path)
    door.turn("forbid")
    for call in calls(files, tmp_path):
        with pytest.raises(StoreUnavailable, match="let Pawl read and write there") as caught:
            call()
        assert LOGIN.split(":")[1] not in str(caught.value)
    door.turn("pass")
    wait_for(lambda: _puts(files, "result.json"), "the store to be back")


def test_a_store_that_hangs_is_unavailable_in_time_and_heals(door: Door, tmp_path: Path) -> None:
    where = address(door.endpoint, "hanging")

    def connected() -> tuple[object, str]:
        return connect(where)

    files = GuardedFiles(RemoteFiles(connected), where, call_s=0.5, deadlines=Deadlines(100))
    door.turn("hang")
    for call in calls(files, tmp_path):
        with pytest.raises(StoreUnavailable, match=r"s3://\*\*\*@bucket/hanging\?\*\*\*: it took longer than"):
            call()
    door.turn("pass")
    patient = GuardedFiles(RemoteFiles(connected), where, deadlines=Deadlines())
    wait_for(lambda: _puts(patient, "log.txt"), "the store to be back")


def test_a_bucket_that_is_gone_is_no_empty_store(s3_endpoint: str, tmp_path: Path) -> None:
    files = open_files(address(s3_endpoint, "x").replace("@bucket/", "@another/"), tmp_path)
    for call in calls(files, tmp_path):
        with pytest.raises(StoreUnavailable, match=r"bucket"):
            call()


def test_a_folder_that_is_gone_is_no_empty_store(tmp_path: Path) -> None:
    files = open_files("", tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "artifacts")
    for call in calls(files, tmp_path):
        with pytest.raises(StoreUnavailable, match="the folder is gone"):
            call()
    (tmp_path / "data" / "artifacts").mkdir()
    assert RunRecords(files).put_once("Iris", KEY, "result.json", b"{}")


def test_a_full_disk_is_told_leaves_nothing_and_heals(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights").write_bytes(b"w" * 4_000_000)
    with small_disk(tmp_path / "disk") as disk:
        files = open_files("", disk)
        filler = fill(disk, spare=1_000_000)
        with pytest.raises(StoreUnavailable, match="make room there"):
            ArtifactStore(files).put(tmp_path / "out")
        assert ArtifactStore(files).list() == []
        assert list((disk / "artifacts" / "artifacts").iterdir()) == []
        filler.unlink()
        assert ArtifactStore(files).has(ArtifactStore(files).put(tmp_path / "out"))


def test_a_disk_that_is_read_only_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        files = open_files("", disk)
        (tmp_path / "out").mkdir()
        ArtifactStore(files).put(tmp_path / "out")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(StoreUnavailable, match="let Pawl read and write there"):
            RunRecords(files).put_once("Iris", KEY, "result.json", b"{}")
        (tmp_path / "out" / "more").touch()
        with pytest.raises(StoreUnavailable, match="could not be stored"):
            ArtifactStore(files).put(tmp_path / "out")
        with pytest.raises(StoreUnavailable, match="can't be made"):
            open_files(f"file://{disk}/another", tmp_path)


def test_a_mount_that_hangs_is_unavailable_in_time_and_heals(tmp_path: Path) -> None:
    files = GuardedFiles(LocalFiles(tmp_path / "s"), "the store", call_s=0.2, deadlines=Deadlines(most_left=2))
    records = RunRecords(files)
    path = tmp_path / "s" / "runs" / "iris" / KEY / "result.json"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)  # whoever opens it to read hangs
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="took longer"):
            records.get("iris", KEY, "result.json")
    with pytest.raises(StoreUnavailable, match="2 earlier calls still hang"):
        records.get("iris", KEY, "log.txt")
    open(path, "wb").close()  # those that hung go on
    wait_until(lambda: records.get("iris", KEY, "log.txt") is None)


def wait_until(look: Callable[[], bool]) -> None:
    from tests.waiting import wait_for

    def looked() -> bool:
        try:
            return look()
        except StoreUnavailable:
            return False

    wait_for(looked, "the store")


def test_a_call_that_raises_a_timeout_of_its_own_is_not_late() -> None:
    def work() -> None:
        raise TimeoutError(errno.ETIMEDOUT, "the server's own")

    with pytest.raises(TimeoutError, match="the server's own"):
        Deadlines().run(work, 30)


def test_a_late_call_is_left_behind() -> None:
    done = threading.Event()
    deadlines = Deadlines(most_left=1)
    with pytest.raises(Late):
        deadlines.run(lambda: done.wait(60), 0.01)
    with pytest.raises(Late, match="still hang"):
        deadlines.run(lambda: None, 30)
    done.set()
