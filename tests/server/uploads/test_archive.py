from __future__ import annotations

import io
import os
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.uploads.archive import ArchiveInvalid, unpack

MEGABYTE = 2**20


def unfold(tmp_path: Path, archive: bytes, most: int = MEGABYTE) -> dict[str, bytes]:
    """What the folder holds then, by path."""
    place, into = tmp_path / "archive.zip", tmp_path / "into"
    place.write_bytes(archive)
    into.mkdir()
    unpack(place, "Model", into, most)
    return {str(path.relative_to(into)): path.read_bytes() for path in into.rglob("*") if path.is_file()}


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return held.getvalue()


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_the_files_are_what_the_zip_holds(tmp_path: Path) -> None:
    held = zipped(("etls.py", b"code"), ("data/a.bin", b"\0" * 1000), ("data/", b""))
    assert unfold(tmp_path, held) == {"etls.py": b"code", "data/a.bin": b"\0" * 1000}


def test_a_folder_around_all_of_them_and_what_systems_leave_there_is_left_out(tmp_path: Path) -> None:
    held = zipped(
        ("Model-main/etls.py", b"code"), ("__MACOSX/Model-main/._etls.py", b"x"), ("Model-main/.git/config", b"x")
    )
    assert unfold(tmp_path, held) == {"etls.py": b"code"}


def test_what_may_be_run_stays_so(tmp_path: Path) -> None:
    unfold(tmp_path, zipped((special("run.sh", stat.S_IFREG | 0o755), b""), ("etls.py", b"")))
    assert [os.access(tmp_path / "into" / name, os.X_OK) for name in ("run.sh", "etls.py")] == [True, False]


@pytest.mark.parametrize(
    "name",
    ["../etls.py", "/etc/passwd", "a/../../b", "a//b", "./a", "C:\\x", "a\\b", "a\nb", "x" * 300, "a/" * 40 + "b"],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveInvalid):
        unfold(tmp_path, zipped(("etls.py", b""), (name, b"")))
    assert not list((tmp_path / "into").rglob("*"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_link_or_a_device_is_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(ArchiveInvalid, match="a link or a device"):
        unfold(tmp_path, zipped((special("etls.py", kind | 0o777), b"/etc/passwd")))


def test_a_zip_that_unfolds_to_too_much_is_refused_whatever_it_says(tmp_path: Path) -> None:
    bomb = zipped(("etls.py", b"\0" * (2 * MEGABYTE)))
    with pytest.raises(ArchiveInvalid, match="unfolds to more than 1 MB"):
        unfold(tmp_path, bomb)
    liar = bomb.replace((2 * MEGABYTE).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    (tmp_path / "into").rmdir()
    with pytest.raises(ArchiveInvalid):
        unfold(tmp_path, liar)
    assert sum(path.stat().st_size for path in (tmp_path / "into").rglob("*")) <= MEGABYTE


def test_a_path_that_comes_twice_or_as_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveInvalid, match="both"):
        unfold(tmp_path, zipped(("a", b""), ("a/b", b"")))
    (tmp_path / "into").rmdir()
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped(("a", b"1"), ("a", b"2"))
    with pytest.raises(ArchiveInvalid, match="twice"):
        unfold(tmp_path, twice)


@given(st.binary(max_size=300), st.integers(0, 200))
def test_garbage_is_refused_or_read_and_never_anything_else(tmp_path: Path, noise: bytes, at: int) -> None:
    whole = bytearray(zipped(("etls.py", b"code"), ("more.txt", b"text")))
    whole[at : at + len(noise)] = noise
    folder = tmp_path / os.urandom(8).hex()
    folder.mkdir()
    with suppress(ArchiveInvalid):
        unfold(folder, bytes(whole))


@pytest.mark.parametrize("name", ["git~1/config", ".git./config", ".git /config", "a/.gi\u200ct/config", "GIT~1"])
def test_what_some_system_takes_for_gits_own_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveInvalid, match="which git takes for its own"):
        unfold(tmp_path, zipped(("etls.py", b""), (name, b"x")))


@pytest.mark.parametrize(
    ("one", "other"), [("a.csv", "A.csv"), ("data/a", "Data/b"), ("\u00e9", "e\u0301"), ("etls.py", "ETLS.py")]
)
def test_names_that_are_one_on_other_systems_are_refused(tmp_path: Path, one: str, other: str) -> None:
    with pytest.raises(ArchiveInvalid, match="which are one on Windows and macOS"):
        unfold(tmp_path, zipped((one, b"1"), (other, b"2")))


def test_a_name_with_a_null_byte_is_refused_rather_than_cut(tmp_path: Path) -> None:
    held = zipped(("etls.py", b""), ("a_b", b"")).replace(b"a_b", b"a\0b")
    with pytest.raises(ArchiveInvalid, match="is not a path inside a folder"):
        unfold(tmp_path, held)


def test_a_list_of_files_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    named = []
    for number in range(140):
        info = zipfile.ZipInfo(f"f{number}")
        info.comment = b"x" * 65_000
        named.append((info, b""))
    with pytest.raises(ArchiveInvalid, match="a list of files of more than 8 MB"):
        unfold(tmp_path, zipped(("etls.py", b""), *named))
