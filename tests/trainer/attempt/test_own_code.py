from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

import pytest

from loader.files.checkout import seal
from trainer.attempt import own_code
from trainer.attempt.own_code import copy_code


def no_clones(*_: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "this file system can't")


def clones(target: BinaryIO, request: int, source: int) -> None:
    """As a file system does it that can."""
    assert request == 0x40049409
    target.write(os.pread(source, 1 << 20, 0))


@pytest.mark.parametrize("links", [True, False])
def test_files_are_clones_where_the_file_system_has_them(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_code, "ioctl", clones)
    root, own = tmp_path / "code", tmp_path / "a1"
    root.mkdir()
    (root / "a.csv").write_text("1")
    seal(root)
    copy_code(root, own, links=links)
    assert stat.S_IMODE((own / "a.csv").stat().st_mode) == stat.S_IMODE((root / "a.csv").stat().st_mode)
    (own / "a.csv").chmod(0o644)
    with open(own / "a.csv", "r+") as file:
        file.write("2")
    assert [(folder / "a.csv").read_text() for folder in (root, own)] == ["1", "2"]


@pytest.mark.parametrize("links", [True, False])
def test_what_is_written_beside_or_in_place_of_a_file_leaves_the_code_as_it_is(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_code, "ioctl", no_clones)
    root, own = tmp_path / "code", tmp_path / "a1"
    (root / "Iris" / "data").mkdir(parents=True)
    (root / "Iris" / "data" / "a.csv").write_text("1")
    (root / "Iris" / "latest").symlink_to("data/a.csv")
    seal(root)
    copy_code(root, own, links=links)
    assert {stat.S_IMODE(path.stat().st_mode) for path in own.rglob("*") if path.is_dir()} == {0o755}
    copied = own / "Iris" / "data" / "a.csv"
    assert (own / "Iris" / "latest").readlink() == Path("data/a.csv")
    assert os.path.samefile(copied, root / "Iris" / "data" / "a.csv") is links
    copied.unlink()
    copied.write_text("2")
    (copied.parent / "cache").write_text("3")
    assert [path.name for path in (root / "Iris" / "data").iterdir()] == ["a.csv"]
    assert (root / "Iris" / "latest").read_text() == "1"


def test_what_can_not_be_copied_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    os.mkfifo(tmp_path / "code" / "pipe")
    with pytest.raises(OSError, match="pipe"):
        copy_code(tmp_path / "code", tmp_path / "a1", links=False)
