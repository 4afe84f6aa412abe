"""Releases that are put twice, fail midway or are killed: one is whole, or absent."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.manifest.manifest import Manifest
from core.release import Release, Revision
from loader.releases.store import ReleaseStore
from tests.loader.files.checking_out import files, following, release_of
from tests.repos import Repo


def test_a_release_that_is_there_is_not_checked_out_again(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Iris/etls.py", "1")
    with following(repo, tmp_path / "data") as source:
        release_store = ReleaseStore(tmp_path / "data/releases")
        release = release_of(source)
        assert not release_store.path(release).exists()
        path = release_store.put(release, source)
        before = path.stat().st_ino
        assert release_store.put(release, source).stat().st_ino == before
        assert path == release_store.path(release)


def test_two_threads_may_put_the_same_release(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Iris/etls.py", "1")
    with following(repo, tmp_path / "data") as source:
        release_store = ReleaseStore(tmp_path / "data/releases")
        release = release_of(source)
        threads = [threading.Thread(target=release_store.put, args=(release, source)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert files(release_store.path(release)) == {"Iris/etls.py": b"1"}
        assert os.listdir(release_store.path(release).parent) == [release.id]


class Failing:
    """A source that fails midway."""

    def __init__(self, number: int) -> None:
        self._number = number

    def check_out(self, revision: Revision, into: Path) -> None:
        (into / "Iris").mkdir()
        (into / "Iris/etls.py").write_text("half")
        raise OSError(self._number, os.strerror(self._number))


class Waiting:
    """A source that stops midway."""

    def __init__(self, report: Connection) -> None:
        self._report = report

    def check_out(self, revision: Revision, into: Path) -> None:
        (into / "Iris").mkdir()
        (into / "Iris/etls.py").write_text("half")
        (into / "Iris").chmod(0o555)
        self._report.send("half")
        signal.pause()


RELEASE = Release(Revision("Iris", "abc", Manifest(), {"Iris": "t"}))


@pytest.mark.parametrize(
    ("number", "heals"),
    [
        (errno.ENOSPC, Heals.WITH_MACHINE),
        (errno.EDQUOT, Heals.WITH_MACHINE),
        (errno.EIO, Heals.WITH_MACHINE),
        (errno.EROFS, Heals.WITH_MACHINE),
        (errno.EMFILE, Heals.WITH_MACHINE),
        (errno.ENAMETOOLONG, Heals.NEVER),
        (errno.EILSEQ, Heals.NEVER),
    ],
)
def test_a_checkout_that_fails_leaves_nothing_and_says_whether_it_may_heal(
    tmp_path: Path, number: int, heals: Heals
) -> None:
    release_store = ReleaseStore(tmp_path / "releases")
    with pytest.raises(
        ReleaseFailed, match=f"DATA_DIR.*{os.strerror(number)}|{os.strerror(number)}.*DATA_DIR"
    ) as caught:
        release_store.put(RELEASE, Failing(number))  # type: ignore[arg-type]
    assert caught.value.heals == heals
    assert not release_store.path(RELEASE).exists()
    assert os.listdir(tmp_path / "releases/Iris") == []


def test_a_checkout_that_is_killed_leaves_no_release_and_no_rubbish_after_the_next_start(tmp_path: Path) -> None:
    reached, report = multiprocessing.Pipe(duplex=False)
    release_store = ReleaseStore(tmp_path / "releases")
    child = multiprocessing.get_context("spawn").Process(target=release_store.put, args=(RELEASE, Waiting(report)))
    child.start()
    assert reached.recv()
    child.kill()
    child.join()
    assert not release_store.path(RELEASE).exists()
    assert len(os.listdir(tmp_path / "releases/Iris")) == 1
    ReleaseStore(tmp_path / "releases")
    assert os.listdir(tmp_path / "releases/Iris") == []


@pytest.mark.parametrize("name", ["..", "", "a/b", ".tmp-x"])
def test_a_name_that_is_no_folder_reaches_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        ReleaseStore(tmp_path / "releases").path(Release(Revision(name, "abc", Manifest(), {})))
