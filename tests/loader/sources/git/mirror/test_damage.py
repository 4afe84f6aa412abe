"""Mirrors and remotes that are damaged, and disks that are full."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed, SourceError
from core.folders import bytes_in
from core.release import Release
from loader.releases.store import ReleaseStore
from tests.disks import fill, small_disk
from tests.loader.sources.git.mirror.served import following, served
from tests.repos import Repo


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small") as folder:
        yield folder


def empty_an_object(mirror: Path) -> None:
    for path in mirror.glob("objects/??/*"):
        path.chmod(0o644)
        path.write_bytes(b"")


def lose_the_objects(mirror: Path) -> None:
    for path in mirror.glob("objects/??/*"):
        path.unlink()


def lose_the_head(mirror: Path) -> None:
    (mirror / "HEAD").unlink()


def break_the_ref(mirror: Path) -> None:
    for path in mirror.glob("refs/pawl/*"):
        path.write_text("nonsense\n")


def break_the_configuration(mirror: Path) -> None:
    (mirror / "config").write_text("[nonsense\n")


def leave_a_lock(mirror: Path) -> None:
    for path in mirror.glob("refs/pawl/*"):
        path.with_name(path.name + ".lock").touch()


def leave_locks(mirror: Path) -> None:
    for name in (
        "index.lock",
        "shallow.lock",
        "packed-refs.lock",
        "config.lock",
        "HEAD.lock",
        "objects/maintenance.lock",
    ):
        (mirror / name).touch()


def truncate_an_object(mirror: Path) -> None:
    for path in mirror.glob("objects/??/*"):
        path.chmod(0o644)
        os.truncate(path, path.stat().st_size // 2)


def zero_the_packs(mirror: Path) -> None:
    repack(mirror)
    for path in mirror.glob("objects/pack/*.pack"):
        path.chmod(0o644)
        path.write_bytes(bytes(path.stat().st_size))


def truncate_the_packs(mirror: Path) -> None:
    repack(mirror)
    for path in mirror.glob("objects/pack/*.pack"):
        path.chmod(0o644)
        os.truncate(path, path.stat().st_size // 2)


def lose_the_index_of_a_pack(mirror: Path) -> None:
    repack(mirror)
    for path in mirror.glob("objects/pack/*.idx"):
        path.unlink()


def lose_the_folders(mirror: Path) -> None:
    shutil.rmtree(mirror / "objects")
    shutil.rmtree(mirror / "refs")


def garble_the_head(mirror: Path) -> None:
    (mirror / "HEAD").write_bytes(b"\0" * 41)


def empty_the_packed_refs(mirror: Path) -> None:
    repack(mirror)
    subprocess.run(["git", "pack-refs", "--all"], env=os.environ | {"GIT_DIR": str(mirror)}, check=True)
    (mirror / "packed-refs").write_bytes(b"\0" * 100)


def cut_the_history_short(mirror: Path) -> None:
    for path in mirror.glob("refs/pawl/*"):
        (mirror / "shallow").write_text(path.read_text())


def garble_the_shallow_file(mirror: Path) -> None:
    (mirror / "shallow").write_text("nonsense\n")


def repack(mirror: Path) -> None:
    subprocess.run(["git", "repack", "-adq"], env=os.environ | {"GIT_DIR": str(mirror)}, check=True)


HURTS = [
    empty_an_object,
    truncate_an_object,
    lose_the_objects,
    zero_the_packs,
    truncate_the_packs,
    lose_the_index_of_a_pack,
    lose_the_folders,
    lose_the_head,
    garble_the_head,
    break_the_ref,
    empty_the_packed_refs,
    break_the_configuration,
    cut_the_history_short,
    garble_the_shallow_file,
    leave_a_lock,
    leave_locks,
]


@pytest.mark.parametrize("hurt", HURTS)
@pytest.mark.parametrize("running", [True, False])
def test_a_mirror_that_is_damaged_mends_itself(tmp_path: Path, hurt: Callable[[Path], None], running: bool) -> None:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "1")
    data = tmp_path / "data"
    with following(str(repo), data) as source:
        source.look()
        if running:
            hurt(data / "mirror.git")
            repo.commit_file("Iris/etls.py", "2")
            assert source.look().models["Iris"].version.number == 2
    if not running:
        hurt(data / "mirror.git")
        repo.commit_file("Iris/etls.py", "2")
        with following(str(repo), data) as source:
            assert source.look().models["Iris"].version.number == 2
    with following(str(repo), data) as source:
        assert source.look().head == repo.head


@pytest.mark.parametrize("hurt", HURTS)
def test_a_mirror_that_is_damaged_time_and_again_mends_itself_each_time(
    tmp_path: Path, hurt: Callable[[Path], None]
) -> None:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "0")
    with following(str(repo), tmp_path / "data") as source:
        source.look()
        for time in range(2, 5):
            hurt(tmp_path / "data/mirror.git")
            repo.commit_file("Iris/etls.py", str(time))
            assert source.look().models["Iris"].version.number == time


def test_a_file_that_a_release_needs_and_is_damaged_in_the_mirror_is_fetched_again(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "content of the class")
    woken = threading.Event()
    with following(str(repo), tmp_path / "data") as source:
        source.start(woken.set)
        release_store = ReleaseStore(tmp_path / "data/releases")
        for _ in range(2):
            revision = source.look().models["Iris"].revision
            assert revision is not None
            id = repo.git("rev-parse", "HEAD:Iris/etls.py")
            path = tmp_path / "data/mirror.git/objects" / id[:2] / id[2:]
            path.chmod(0o644)
            path.write_bytes(b"")
            with pytest.raises(ReleaseFailed, match="mirror") as caught:
                release_store.put(Release(revision), source)
            assert caught.value.heals == Heals.WITH_MACHINE
            assert woken.is_set()
            woken.clear()
            source.look()
            assert (release_store.put(Release(revision), source) / "Iris/etls.py").read_text() == "content of the class"
            release_store.prune_models(set())


def lose_an_object_of(remote: Path, id: str) -> None:
    (remote / "objects" / id[:2] / id[2:]).unlink()


def zero_an_object_of(remote: Path, id: str) -> None:
    path = remote / "objects" / id[:2] / id[2:]
    path.chmod(0o644)
    path.write_bytes(bytes(50))


@pytest.mark.parametrize("hurt", [lose_an_object_of, zero_an_object_of])
@pytest.mark.parametrize("over_http", [True, False])
def test_a_remote_that_is_damaged_is_not_taken_for_a_damaged_mirror(
    tmp_path: Path, hurt: Callable[[Path, str], None], over_http: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with served(tmp_path) as (repo, server):
        remote = tmp_path / "served/models.git"
        with following(server.url("models.git") if over_http else str(remote), tmp_path / "data") as source:
            before = source.look().head
            repo.commit_file("Iris/etls.py", "2")
            repo.push(remote)
            healthy = tmp_path / "healthy"
            shutil.copytree(remote, healthy)
            hurt(remote, repo.git("rev-parse", "HEAD:Iris/etls.py"))
            for _ in range(2):
                with pytest.raises(SourceError) as caught:
                    source.look()
                assert "mirror" not in str(caught.value)
            assert "damaged" not in caplog.text
            mirror = str(tmp_path / "data/mirror.git")
            assert repo.git("--git-dir", mirror, "for-each-ref", "--format=%(objectname)") == before
            shutil.rmtree(remote)
            healthy.rename(remote)
            assert source.look().head == repo.head


def test_what_a_killed_daemons_git_left_goes_at_the_next_start(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "1")
    with following(str(repo), tmp_path / "data") as source:
        source.look()
    mirror = tmp_path / "data/mirror.git"
    left = [
        mirror / name for name in ("objects/pack/tmp_pack_x", "objects/pack/.tmp-9-pack-x.pack", "objects/aa/tmp_obj_x")
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    with following(str(repo), tmp_path / "data") as source:
        source.look()
    assert not [path for path in left if path.exists()]


def test_a_fetch_that_the_disk_has_no_room_for_leaves_nothing_and_is_tried_again(tmp_path: Path, small: Path) -> None:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "1")
    with following(str(repo), small / "data") as source:
        source.look()
        for number in range(120):  # so many come in a pack
            repo.write(f"Iris/{number}", os.urandom(20_000))
        repo.commit()
        filler = fill(small, spare=500_000)
        before = bytes_in(small / "data/mirror.git")
        for _ in range(3):
            with pytest.raises(SourceError, match="disk"):
                source.look()
            assert bytes_in(small / "data/mirror.git") == before
        filler.unlink()
        assert source.look().head == repo.head


def test_what_a_killed_fetch_leaves_is_removed_by_the_next_that_is_killed(tmp_path: Path) -> None:
    with served(tmp_path) as (_, server):
        with following(server.url("models.git"), tmp_path / "data") as source:
            source.look()
        left = tmp_path / "data/mirror.git/objects/pack/tmp_pack_x"
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"half")
        server.hold = threading.Event()
        with (
            following(server.url("models.git"), tmp_path / "data", fetch_timeout_s=0.3) as source,
            pytest.raises(SourceError, match="timed out"),
        ):
            source.look()
        assert not left.exists()


def test_a_small_push_takes_as_many_git_programs_however_many_models_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, git = tmp_path / "started", tmp_path / "bin/git"
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\necho "$@" >> {started}\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    counts = []
    for models in (2, 20):
        repo = Repo(tmp_path / f"work-{models}")
        for number in range(models):
            repo.write(f"M{number}/etls.py", str(number))
        repo.commit()
        with following(str(repo), tmp_path / f"data-{models}") as source:
            source.look()
            repo.commit_file("M1/etls.py", "changed")
            started.write_text("")
            assert source.look().models
            counts.append(len(started.read_text().splitlines()))
    few, many = counts
    assert 0 < many == few < 10
