"""Odd things in a local folder: each hurts its own model at most, and is said by name."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.errors import SourceError
from core.manifest.manifest import Manifest, parse_manifest
from loader.files.tree import Bounds
from loader.sources.local.contents import Contents, StillChanging
from loader.sources.local.source import LocalSource
from loader.sources.local.tree import scan
from tests.loader.sources.local.folders import checked_out, failure, following, models, release, write


@pytest.fixture
def shown() -> Iterator[Path]:
    """A folder that other users can reach."""
    path = Path(tempfile.mkdtemp(prefix="pawl-odd-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything; another user has none anyway."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    before = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0)
    with as_nobody():
        yield
    path.chmod(before)


def test_a_models_folder_that_is_a_file_or_cannot_be_read_says_so(shown: Path) -> None:
    folder = models(shown)
    write(shown / "file", "")
    with following(shown / "file") as source, pytest.raises(SourceError, match="Not a directory; check"):
        source.look()
    with following(folder) as source:
        with unreadable(folder), pytest.raises(SourceError, match="Permission denied; check"):
            source.look()
        assert source.look().models


def test_an_unreadable_folder_is_left_out_and_one_that_was_a_model_fails(shown: Path) -> None:
    folder = models(shown)
    (folder / "lost+found").mkdir()
    with following(folder) as source:
        with unreadable(folder / "lost+found"):
            desired = source.look()
            assert set(desired.models) == {"Iris", "Churn"}
            assert "can't be read: Permission denied" in desired.left_out["lost+found"]
        with unreadable(folder / "Iris"):
            assert "can't be read: Permission denied" in failure(source.look())
        assert release(source.look())


@pytest.mark.parametrize("path", ["etls.py", "deep"])
def test_what_cannot_be_read_in_a_folder_fails_its_model_by_name(shown: Path, path: str) -> None:
    folder = models(shown)
    write(folder / "Iris/deep/x", "")
    with following(folder) as source, unreadable(folder / "Iris" / path):
        desired = source.look()
        assert f"Iris/{path} can't be read: Permission denied" in failure(desired)
        assert release(desired, "Churn")


def test_sockets_and_devices_are_no_part_of_a_release(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "Iris/socket"))
        os.mkfifo(folder / "Iris/pipe")
        with suppress(PermissionError):  # only root may, and in some containers not even root
            os.mknod(folder / "Iris/zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        with following(folder) as source:
            assert checked_out(source, "Iris", tmp_path / "releases") == {"Iris/etls.py": "1"}


@pytest.mark.parametrize("name", ["etls.py", "model.yaml", "requirements.txt", "examples.json"])
def test_a_folder_by_the_name_of_a_file_hurts_its_model_alone(tmp_path: Path, name: str) -> None:
    folder = models(tmp_path)
    (folder / "Iris/etls.py").unlink()
    write(folder / "Iris/model.onnx", "")
    write(folder / "Iris" / name / "x", "")
    with following(folder) as source:
        assert release(source.look(), "Churn")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_requirements_of_all_models_that_are_no_file_are_none(tmp_path: Path, make: object) -> None:
    folder = models(tmp_path)
    assert callable(make)
    make(folder / "requirements.txt")
    with following(folder) as source:
        assert release(source.look()).revision.default_requirements is None


def test_a_file_where_a_shared_folder_is_expected_is_named(tmp_path: Path) -> None:
    folder = models(tmp_path)
    shutil.rmtree(folder / "common")
    write(folder / "common", "")
    with following(folder) as source:
        assert "'common'" in failure(source.look(), "Churn")


def test_a_shared_folder_of_a_name_too_long_is_named(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Churn/model.yaml", f"uses: [{'é' * 200}]")
    with following(folder) as source:
        assert "a folder beside Churn" in failure(source.look(), "Churn")


@pytest.mark.parametrize("gone", [False, True])
def test_a_file_that_changes_or_goes_before_it_is_read_is_looked_at_again(tmp_path: Path, gone: bool) -> None:
    folder = models(tmp_path)
    seen = scan(folder, "Iris", Bounds()).seen
    (folder / "Iris/etls.py").unlink() if gone else write(folder / "Iris/etls.py", "2")
    with pytest.raises(StillChanging, match=r"Iris/etls\.py"):
        Contents(folder).files(seen)


def test_a_link_that_goes_before_it_is_read_is_looked_at_again(tmp_path: Path) -> None:
    folder = models(tmp_path)
    (folder / "Iris/link").symlink_to("etls.py")
    seen = scan(folder, "Iris", Bounds()).seen
    (folder / "Iris/link").unlink()
    with pytest.raises(StillChanging, match="Iris/link"):
        Contents(folder).files(seen)


def test_names_that_are_not_utf8_are_refused_in_words_that_are(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / os.fsdecode(b"M\xff/etls.py"), "")
    write(folder / "Iris" / os.fsdecode(b"\xff"), "")
    write(folder / "Linked/etls.py", "")
    (folder / "Linked/link").symlink_to(os.fsdecode(b"/\xff"))
    with following(folder) as source:
        desired = source.look()
    assert list(desired.left_out) == ["M\\xff"]
    assert "odd name" in failure(desired).encode().decode()
    assert "Linked/link" in failure(desired, "Linked").encode().decode()
    assert release(desired, "Churn")


def test_a_folder_of_very_many_files_fails_its_model_alone(tmp_path: Path) -> None:
    folder = models(tmp_path)
    for number in range(20):
        write(folder / f"Iris/{number % 3}/{number}", "")
    with following(folder, bounds=Bounds(files=20)) as source:
        desired = source.look()
    assert "Iris holds more than 20 files and folders" in failure(desired)
    assert release(desired, "Churn")


def test_a_file_larger_than_a_release_may_be_is_not_read(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with open(folder / "Iris/sparse", "wb") as file:
        file.truncate(3_000_001)
    with following(folder, bounds=Bounds(bytes=3_000_000)) as source:
        desired = source.look()
    assert "Iris holds more than 3 MB" in failure(desired)
    assert release(desired, "Churn")


def test_a_folder_too_deep_fails_its_model_alone(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris" / "/".join("d" * 70) / "x", "")
    with following(folder) as source:
        desired = source.look()
    assert "too deep" in failure(desired)
    assert release(desired, "Churn")


def test_what_nobody_thought_of_in_a_manifest_fails_its_model_alone(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/model.yaml", "description: odd")
    source = LocalSource(folder, {}, parse=breaks_on_odd)
    desired, again = source.look(), source.look()
    source.close()
    assert "Pawl itself failed: RecursionError" in failure(desired)
    assert desired.models["Iris"].version == again.models["Iris"].version
    assert release(desired, "Churn")


def breaks_on_odd(manifest: bytes) -> Manifest:
    if b"odd" in manifest:
        raise RecursionError
    return parse_manifest(manifest)


def test_what_nobody_thought_of_in_a_folder_fails_its_model_alone(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/data.csv", "x" * 2000)
    with following(folder, bounds=Bounds(bytes=Breaks(1000))) as source:
        desired = source.look()
    assert "Pawl itself failed: ArithmeticError" in failure(desired)
    assert release(desired, "Churn")


class Breaks(int):
    """A bound that can't be compared with what is above it."""

    def __lt__(self, other: int) -> bool:
        if other > int(self):
            raise ArithmeticError
        return False
