from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.process.own_log import OwnLog


@pytest.fixture
def printed_to(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    yield opened
    os.close(opened)


def bound(folder: Path, printed_to: int) -> None:
    asyncio.run(OwnLog(folder, 10, printed_to).bound())


def test_a_log_that_is_full_is_set_aside_and_begun_anew(tmp_path: Path, printed_to: int) -> None:
    (tmp_path / "log.1").write_text("older")
    os.write(printed_to, b"more than ten bytes\n")
    bound(tmp_path, printed_to)
    os.write(printed_to, b"new\n")
    assert (tmp_path / "log.1").read_text() == "more than ten bytes\n"
    assert (tmp_path / "log").read_text() == "new\n"
    assert stat.S_IMODE((tmp_path / "log.1").stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1"]


def test_a_log_that_is_not_full_goes_on(tmp_path: Path, printed_to: int) -> None:
    os.write(printed_to, b"ten bytes\n")
    bound(tmp_path, printed_to)
    assert (tmp_path / "log").read_text() == "ten bytes\n"
    assert os.listdir(tmp_path) == ["log"]


def test_a_file_that_another_server_has_printed_to_is_left_alone(tmp_path: Path, printed_to: int) -> None:
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    (tmp_path / "log").write_text("of an earlier server, long")
    os.write(printed_to, b"more than ten bytes\n")
    bound(tmp_path, printed_to)
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "log"]
    assert (tmp_path / "log").read_text() == "of an earlier server, long"


def test_what_can_not_be_set_aside_is_let_go(tmp_path: Path, printed_to: int, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "log.1").mkdir()
    os.write(printed_to, b"more than ten bytes\n")
    bound(tmp_path, printed_to)
    assert (tmp_path / "log").read_text() == ""
    assert "could not be set aside" in caplog.text
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1"]
