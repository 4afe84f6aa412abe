from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from loader.artifacts.files.files import Files
from loader.artifacts.files.place import open_files
from loader.artifacts.uses import FORGOTTEN_S, TOLD_AGAIN_S, Uses, installation_in
from tests.disks import fill, small_disk

HERE, THERE, YONDER = "a" * 32, "b" * 32, "c" * 32


def test_each_learns_what_the_others_need(files: Files) -> None:
    here, there = Uses(files, HERE), Uses(files, THERE)
    assert here.of_others() == frozenset()
    here.tell({"one", "two"})
    there.tell({"three"})
    assert (here.of_others(), there.of_others()) == ({"three"}, {"one", "two"})
    here.tell({"two"})
    assert there.of_others() == {"two"}
    assert Uses(files, YONDER).of_others() == {"two", "three"}


def test_an_installation_that_is_no_more_is_forgotten(files: Files) -> None:
    Uses(files, HERE).tell({"one"})
    assert Uses(files, THERE, now=lambda: time.time() + FORGOTTEN_S - 60).of_others() == {"one"}
    assert Uses(files, THERE, now=lambda: time.time() + FORGOTTEN_S + 60).of_others() == frozenset()
    assert Uses(files, THERE).of_others() == frozenset()


def test_one_that_is_still_there_says_so_once_a_day(tmp_path: Path) -> None:
    files, now = open_files("", tmp_path), [time.time()]
    uses, file = Uses(files, HERE, lambda: now[0]), tmp_path / "artifacts" / "in-use" / HERE / "needed.json"
    uses.tell({"one"})
    file.unlink()
    uses.tell({"one"})
    assert not file.exists()
    now[0] += TOLD_AGAIN_S + 1
    uses.tell({"one"})
    assert file.exists()


def test_what_another_needs_and_cannot_be_read_stops_everything(files: Files) -> None:
    files.write(f"in-use/{HERE}/needed.json", b"{")
    with pytest.raises(StoreUnavailable, match=HERE):
        Uses(files, THERE).of_others()


def test_a_data_dir_that_can_not_be_written_has_a_name_for_now(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)
        assert len(installation_in(disk)) == 32
        assert not (disk / "installation").exists()


def test_a_data_dir_keeps_its_name(tmp_path: Path) -> None:
    name = installation_in(tmp_path)
    assert installation_in(tmp_path) == name
    (tmp_path / "installation").write_text("")
    assert installation_in(tmp_path) not in ("", name)
