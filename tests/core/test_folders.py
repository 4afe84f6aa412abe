from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.folders import bytes_in, files_in, remove_tree
from tests.serving import ROOT


def make_deep(folder: Path, depth: int, name: str = "d") -> None:
    """Folders so deep in each other, with a file of two bytes in the last; by way of handles, since no path may be
    long."""
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        inside = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inside
    with open(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as file:
        file.write(b"xx")
    os.close(here)


@pytest.mark.parametrize(("depth", "name"), [(1100, "d"), (100, "long" * 50)])
def test_folders_go_however_deep_they_are(tmp_path: Path, depth: int, name: str) -> None:
    make_deep(tmp_path / "deep", depth, name)
    remove_tree(tmp_path / "deep")
    assert list(tmp_path.iterdir()) == []


def test_folders_go_whatever_their_modes(tmp_path: Path) -> None:
    folder = tmp_path / "sealed"
    for name in ("shut/inside", "read-only/inside"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").touch(0o400)
    os.chmod(folder / "shut", 0)
    os.chmod(folder / "read-only", 0o500)
    os.chmod(folder, 0o500)
    remove_tree(folder)
    assert list(tmp_path.iterdir()) == []


def test_what_a_link_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o750)
    (kept / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "to-folder").symlink_to(kept)
    (folder / "to-nothing").symlink_to(tmp_path / "nothing")
    (tmp_path / "link").symlink_to(kept)
    remove_tree(folder)
    remove_tree(tmp_path / "link")
    assert list(tmp_path.iterdir()) == [kept]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o750
    assert (kept / "file").exists()


def test_names_that_a_removal_takes_itself_are_in_nobody_s_way(tmp_path: Path) -> None:
    for name in ("a/b/c", ".removed-0/x", ".removed-1/x"):
        (tmp_path / "folder" / name).mkdir(parents=True)
    remove_tree(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_file_goes_and_what_is_not_there_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remove_tree(tmp_path / "file")
    remove_tree(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_all_files_are_found_however_deep_and_links_are_not_followed(tmp_path: Path) -> None:
    make_deep(tmp_path / "folder", 1100)
    (tmp_path / "folder/other").write_bytes(b"yyy")
    (tmp_path / "folder/link").symlink_to("/usr")
    found = {os.path.basename(path): size for path, size, _ in files_in(tmp_path / "folder")}
    assert found == {"file": 2, "other": 3, "link": 4}
    assert bytes_in(tmp_path / "folder") == 9
    remove_tree(tmp_path / "folder")
    assert bytes_in(tmp_path / "folder") == 0


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="NOT TESTED: another user, which takes root and setpriv"
)
def test_folders_of_another_user_that_the_group_may_write_go_too() -> None:
    with tempfile.TemporaryDirectory() as top:
        for name in ("", "folder", "folder/a", "folder/a/b", "folder/shut"):
            (Path(top) / name).mkdir(exist_ok=True)
            (Path(top) / name).chmod(0o775)
        (Path(top) / "folder/a/b/file").touch()
        (Path(top) / "folder/shut").chmod(0o755)  # it can't be moved; empty, it can be removed
        removing = (
            f"from pathlib import Path; from core.folders import remove_tree; remove_tree(Path({top!r}, 'folder'))"
        )
        someone = ["setpriv", "--reuid=12345", "--regid=0", "--clear-groups", "--"]
        subprocess.run([*someone, sys.executable, "-c", removing], cwd=ROOT, check=True)
        assert os.listdir(top) == []
