"""A registry.db that can't hold the registry is set aside, kept, and begun anew."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.events import Event, EventKind
from registry.event_writer import EventWriter
from registry.registry import Registry
from registry.sqlite_file import set_aside


def garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def truncated(path: Path) -> None:
    registry = Registry(f"sqlite:///{path}")
    with registry.transaction() as transaction:
        transaction.events.append([Event(kind=EventKind.LIVE, message="x" * 9000)] * 100)
    registry.close()
    os.truncate(path, path.stat().st_size // 2)


def writer(url: str, *, file: Path | None = None) -> EventWriter:
    return EventWriter(Registry(url, file=file), lambda earlier: None, most=10)


def written(path: Path) -> list[str]:
    registry = Registry(f"sqlite:///{path}")
    with registry.transaction() as transaction:
        found = [event.message for event in transaction.events.newest(10)]
    registry.close()
    return found


def a_directory(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def another_programs(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("CREATE TABLE events (id INTEGER, what TEXT)")
        connection.commit()


def one_without_our_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.commit()


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere") / "file")


@pytest.mark.parametrize(
    "make", [garbage, truncated, a_directory, another_programs, one_without_our_table, a_dangling_link]
)
def test_what_can_not_hold_the_registry_is_set_aside_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "registry.db"
    make(path)
    event_writer = writer(f"sqlite:///{path}", file=path)
    event_writer.start()
    event_writer.write(Event(kind=EventKind.LIVE, message="new"))
    event_writer.close(timeout_s=30)
    assert written(path) == ["new"]
    [aside] = [one for one in tmp_path.iterdir() if one.name.startswith("registry.db.set-aside-")]
    [line] = caplog.messages
    assert aside.name in line
    assert "\n" not in line


def test_a_sound_registry_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "registry.db"
    for number in range(2):
        event_writer = writer(f"sqlite:///{path}", file=path)
        event_writer.start()
        event_writer.write(Event(kind=EventKind.LIVE, message=str(number)))
        event_writer.close(timeout_s=30)
    assert written(path) == ["1", "0"]
    assert not caplog.messages


@pytest.mark.parametrize("was_there", [False, True])
def test_nobody_else_can_read_what_people_did(tmp_path: Path, was_there: bool) -> None:
    path = tmp_path / "registry.db"
    if was_there:
        another_editions(path)
    registry = Registry(f"sqlite:///{path}", file=path)
    with registry.transaction() as transaction:
        transaction.events.append([Event(kind=EventKind.LIVE, message="new")])
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    registry.close()
    assert modes == dict.fromkeys(["registry.db", "registry.db-wal", "registry.db-shm"], 0o600)


def another_editions(path: Path) -> None:
    shutil.copy(Path(__file__).parent.parent / "data" / "first_edition" / "registry.db", path)
    path.chmod(0o644)


def test_a_few_are_kept_with_what_belongs_to_them(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    for number in range(5):
        path.write_text(str(number))
        path.with_name("registry.db-journal").write_text(str(number))
        set_aside(path)
    kept = sorted(one for one in tmp_path.iterdir())
    assert [one.read_text() for one in kept if one.name.endswith("Z")] == ["2", "3", "4"]
    assert [one.read_text() for one in kept if one.name.endswith("-journal")] == ["2", "3", "4"]
    assert len(kept) == 6


def test_a_database_that_the_operator_names_is_never_moved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "named.db"
    garbage(path)
    with caplog.at_level(logging.ERROR, "pawl"):
        event_writer = writer(f"sqlite:///{path}")
        event_writer.start()
        event_writer.write(Event(kind=EventKind.LIVE, message="kept in memory"))
        event_writer.close(timeout_s=30)
    assert [one.name for one in tmp_path.iterdir()] == ["named.db"]
    assert len(caplog.messages) == 1
