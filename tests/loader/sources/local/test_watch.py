"""Watching a local folder, whatever becomes of it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from loader.sources.local.watch import Watch
from tests.loader.sources.local.folders import models, write


@contextmanager
def watching(folder: Path, through: frozenset[str] = frozenset()) -> Iterator[Queue[str]]:
    """What is in `Iris/etls.py` at each change that the watch tells of; the first is no change but its beginning."""
    told: Queue[str] = Queue()
    closed = threading.Event()
    watch = Watch(folder, lambda: through, lambda: told.put(content(folder)), closed, 1000)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        told.get(timeout=100)
        yield told
    finally:
        closed.set()
        thread.join()


def content(folder: Path) -> str:
    try:
        return (folder / "Iris/etls.py").read_text()
    except OSError:
        return ""


def wait_for(told: Queue[str], wanted: str) -> None:
    while told.get(timeout=100) != wanted:
        pass


def test_a_folder_that_is_removed_and_made_again_is_watched(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with watching(folder) as told:
        shutil.rmtree(folder)
        wait_for(told, "")
        write(folder / "Iris/etls.py", "again")
        wait_for(told, "again")
        write(folder / "Iris/etls.py", "and again")
        wait_for(told, "and again")


def test_a_folder_that_is_swapped_for_another_is_watched(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with watching(folder) as told:
        write(tmp_path / "next/Iris/etls.py", "next")
        folder.rename(tmp_path / "old")
        (tmp_path / "next").rename(folder)
        wait_for(told, "next")
        write(folder / "Iris/etls.py", "and next")
        wait_for(told, "and next")


def test_a_folder_that_is_a_link_is_followed_when_the_link_is_swapped(tmp_path: Path) -> None:
    write(tmp_path / "1/Iris/etls.py", "1")
    write(tmp_path / "2/Iris/etls.py", "2")
    (tmp_path / "current").symlink_to("1")
    with watching(tmp_path / "current") as told:
        (tmp_path / "new").symlink_to("2")
        os.rename(tmp_path / "new", tmp_path / "current")
        wait_for(told, "2")
        write(tmp_path / "2/Iris/etls.py", "3")
        wait_for(told, "3")


def test_a_folder_that_is_not_there_yet_is_watched_when_it_is(tmp_path: Path) -> None:
    with watching(tmp_path / "models") as told:
        write(tmp_path / "models/Iris/etls.py", "1")
        wait_for(told, "1")
        write(tmp_path / "models/Iris/etls.py", "2")
        wait_for(told, "2")


def test_a_model_that_is_made_or_made_again_is_watched(tmp_path: Path) -> None:
    folder = models(tmp_path)
    shutil.rmtree(folder / "Iris")
    with watching(folder) as told:
        for each in ("made", "made again"):
            write(folder / "Iris/etls.py", each)
            wait_for(told, each)
            write(folder / "Iris/etls.py", f"{each}, changed")
            wait_for(told, f"{each}, changed")
            shutil.rmtree(folder / "Iris")
            wait_for(told, "")


@pytest.mark.parametrize("target", ["/", "/proc", "loop", ".", "missing"])
def test_a_link_in_one_model_does_not_end_the_watch_of_another(
    tmp_path: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = models(tmp_path)
    (folder / "Churn/loop").symlink_to(target)
    with watching(folder) as told:
        write(folder / "Iris/etls.py", "changed")
        wait_for(told, "changed")
    assert "can't be watched" not in caplog.text


def test_hidden_folders_and_what_editors_leave_call_for_nothing(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/.git/x", "")
    with watching(folder) as told, watching(folder, frozenset({"Iris/.git"})) as told_of_hidden:
        for number in range(3):
            write(folder / "Iris/etls.py~", f"{number}")
            write(folder / ".hidden/x", f"{number}")
            write(folder / "Iris/.git/x", f"{number}")
            told_of_hidden.get(timeout=100)
        write(folder / "Iris/etls.py", "changed")
        assert told.get(timeout=100) == "changed"
