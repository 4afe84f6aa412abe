from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from server.process.data_dir import FORMAT, DataDir, DataDirUnusable, holder_of


def test_a_folder_is_taken_by_one_at_a_time(tmp_path: Path) -> None:
    home = DataDir(tmp_path / "deep/data")
    assert (home.path / "format").read_text() == FORMAT
    with pytest.raises(DataDirUnusable, match="in use by another Pawl"):
        DataDir(home.path)
    home.close()
    DataDir(home.path).close()


def test_which_server_holds_it_is_told_also_after_another_was_refused(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    home = DataDir(tmp_path)
    assert holder_of(tmp_path) is None, "a check holds it, too, and is not a server"
    home.tell_holder()
    with pytest.raises(DataDirUnusable):
        DataDir(tmp_path)
    assert holder_of(tmp_path) == os.getpid()
    home.close()
    (tmp_path / "lock").write_text("1 12345\n")
    assert holder_of(tmp_path) is None, "a process that got its number later"


def test_another_format_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("99")
    with pytest.raises(DataDirUnusable, match=r"'99'.*run the version that wrote it"):
        DataDir(tmp_path)


def test_a_start_that_was_cut_short_leaves_no_strange_format(tmp_path: Path) -> None:
    (tmp_path / "format.tmp").write_text("")
    DataDir(tmp_path).close()
    assert (tmp_path / "format").read_text() == FORMAT


def test_what_is_no_folder_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirUnusable, match="must be a folder we can write to"):
        DataDir(tmp_path / "file")


def test_the_folder_of_sockets_is_empty_private_and_of_a_path_that_sockets_take(tmp_path: Path) -> None:
    for path in (tmp_path / "short", tmp_path / "/".join(["long" * 20] * 3)):
        for _ in range(2):
            home = DataDir(path)
            assert os.listdir(home.run) == []
            assert stat.S_IMODE(home.run.stat().st_mode) == 0o700
            assert (path / "run").resolve() == home.run.resolve()
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(str(home.run / "w1000000.sock"))
            home.close()
