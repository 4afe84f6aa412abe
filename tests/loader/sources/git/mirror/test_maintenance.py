"""The mirror's objects are kept in few packs, at a cost that goes with what has come."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from loader.sources.git.mirror.maintenance import Load, Maintenance, due
from tests.repos import Repo
from tests.waiting import wait_for


def packed(tmp_path: Path, large: int, small: int) -> Path:
    """A repository with a pack of so many objects, and so many packs of a few."""
    repo = Repo(tmp_path / "work")
    for number in range(large):
        repo.write(f"Large/{number}", os.urandom(1000))
    repo.commit()
    bare = repo.bare(tmp_path / "mirror.git")
    subprocess.run(["git", "-C", bare, "repack", "-adq"], check=True)
    for number in range(small):
        repo.commit_file("Iris/etls.py", str(number))
        options = ["-c", "fetch.unpackLimit=1", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        subprocess.run(["git", "-C", bare, *options, "fetch", "-q", repo.path, "+main:main"], check=True)
    return bare


def packs(mirror: Path) -> list[Path]:
    return list(mirror.glob("objects/pack/*.pack"))


def test_many_small_packs_are_joined_and_a_large_one_is_left_as_it_is(tmp_path: Path) -> None:
    mirror = packed(tmp_path, large=500, small=60)
    largest = max(packs(mirror), key=lambda path: path.stat().st_size)
    maintenance = Maintenance(mirror)
    maintenance.begin()
    wait_for(lambda: len(packs(mirror)) == 2, "the packs to be joined", lambda: str(packs(mirror)))
    maintenance.close()
    assert largest in packs(mirror)
    subprocess.run(["git", "-C", mirror, "fsck", "--full"], check=True, capture_output=True)


def test_many_loose_objects_are_packed(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    for number in range(3000):
        repo.write(f"Iris/{number}", str(number))
    repo.commit()
    mirror = repo.path / ".git"
    maintenance = Maintenance(mirror)
    maintenance.begin()
    wait_for(lambda: not list(mirror.glob("objects/17/*")), "the objects to be packed", lambda: "")
    maintenance.close()


def test_work_that_takes_too_long_is_ended_leaves_nothing_and_is_not_begun_anew_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mirror = packed(tmp_path, large=10, small=60)
    before = {path for path in mirror.rglob("*") if path.is_file()}
    maintenance = Maintenance(mirror, budget_s=0.0)
    for _ in range(3):
        maintenance.begin()
        wait_for(lambda: "tried again later" in caplog.text, "the error", lambda: caplog.text)
        with maintenance.paused():
            assert {path for path in mirror.rglob("*") if path.is_file()} == before
    maintenance.close()
    assert caplog.text.count("tried again later") == 1


def test_once_closed_nothing_begins(tmp_path: Path) -> None:
    mirror = packed(tmp_path, large=1, small=60)
    maintenance = Maintenance(mirror)
    maintenance.close()
    maintenance.begin()
    maintenance.close()
    assert len(packs(mirror)) == 61


def test_what_nothing_leads_to_goes_when_there_is_no_room(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    first = repo.commit_file("Iris/etls.py", "1")
    repo.commit_file("Iris/large", os.urandom(100_000))
    blob = repo.git("rev-parse", "HEAD:Iris/large") + "^{blob}"
    repo.reset(first)
    mirror = repo.path / ".git"
    repo.git("reflog", "expire", "--expire=now", "--all")
    maintenance = Maintenance(mirror)
    maintenance.begin()
    with maintenance.paused():
        assert repo.exists(blob)
    maintenance.save_room()
    maintenance.begin()
    wait_for(lambda: not repo.exists(blob), "the blob to go", lambda: "")
    maintenance.close()


@pytest.mark.parametrize(
    ("load", "command"),
    [
        (Load(packs=1, loose=0, wastes=False), None),
        (Load(packs=49, loose=1999, wastes=False), None),
        (Load(packs=50, loose=0, wastes=False), "repack"),
        (Load(packs=0, loose=2000, wastes=False), "repack"),
        (Load(packs=0, loose=0, wastes=True), "gc"),
    ],
)
def test_what_is_due_follows_from_what_has_come(load: Load, command: str | None) -> None:
    found = due(load)
    assert (command in found) if found is not None and command is not None else found == command
