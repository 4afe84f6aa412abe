"""From a release to its files: what a release holds, and what is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from loader.files.tree import Bounds
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.loader.files.checking_out import files, put, release_of
from tests.repos import Repo


def test_a_release_holds_its_folders_side_by_side_and_the_default_requirements(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    content = os.urandom(3_000_000)
    repo.write("live/Iris/etls.py", "import common").write("live/Iris/net/x.onnx", content)
    repo.write("live/Iris/model.yaml", "uses: [common]").write("live/common/x.py", "1").write("live/Other/etls.py")
    repo.write("requirements.txt", "numpy").commit()
    source = GitSource(Remote(str(repo), folder="live"), tmp_path / "data")
    path = ReleaseStore(tmp_path / "data/releases").put(release_of(source), source)
    source.close()
    assert files(path) == {
        "Iris/etls.py": b"import common",
        "Iris/net/x.onnx": content,
        "Iris/model.yaml": b"uses: [common]",
        "common/x.py": b"1",
        "requirements.txt": b"numpy",
    }


def test_a_release_is_read_only_and_its_programs_stay_programs(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").write("Iris/bin/run", executable=True).commit()
    path = put(repo, tmp_path)
    modes = {str(one.relative_to(path)): stat.S_IMODE(one.stat().st_mode) for one in [path, *path.rglob("*")]}
    assert modes == {
        ".": 0o555,
        ".files.json": 0o444,
        "Iris": 0o555,
        "Iris/etls.py": 0o444,
        "Iris/bin": 0o555,
        "Iris/bin/run": 0o555,
    }


@pytest.mark.parametrize(
    ("link", "target"),
    [("x", "etls.py"), ("a/x", "../etls.py"), ("a/b/x", "../../a"), ("x", "nowhere"), ("x", "./a//b")],
)
def test_a_link_within_the_folder_is_kept(tmp_path: Path, link: str, target: str) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").link(f"Iris/{link}", target).commit()
    path = put(repo, tmp_path)
    assert os.readlink(path / "Iris" / link) == target


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("x", "/etc/passwd"),
        ("x", ".."),
        ("x", "../common/x.py"),
        ("x", "../Iris/etls.py"),
        ("a/x", "../../x"),
        ("a/x", "../../../../../../etc/passwd"),
        ("x", "a/../.."),
        ("x", "up/../.."),
        ("x", "line\nbreak"),
        ("x", "a" * 2000),
    ],
)
def test_a_link_that_leaves_the_folder_is_refused_before_anything_is_written(
    tmp_path: Path, link: str, target: str
) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").write("common/x.py").link(f"Iris/{link}", target).commit()
    with pytest.raises(ReleaseFailed, match=f"Iris/{link} is a symbolic link") as caught:
        put(repo, tmp_path)
    assert caught.value.stage == "checkout"
    assert not caught.value.heals
    assert files(tmp_path / "data/releases") == {}


@pytest.mark.parametrize(
    "name",
    [b".git", b".GIT", b".git ", b"GIT~1", b"..", b".", b"a\nb", b"a\x01b", b"a\x7fb", b"a\\b", b"\xff.py", b"n" * 256],
)
@pytest.mark.parametrize("is_folder", [False, True])
def test_an_odd_name_is_refused(tmp_path: Path, name: bytes, is_folder: bool) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    odd = ("40000", name, repo.raw_tree(("100644", b"x", blob))) if is_folder else ("100644", name, blob)
    iris = repo.raw_tree(odd, ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="Iris/"):
        put(repo, tmp_path)


def test_a_name_with_a_slash_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    iris = repo.raw_tree(("100644", b"../../../x", blob), ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="odd name"):
        put(repo, tmp_path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    below = repo.raw_tree(("100644", b"x", blob))
    iris = repo.raw_tree(("120000", b"a", repo.blob("b")), ("40000", b"a", below), ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="Iris/a is there twice"):
        put(repo, tmp_path)


def test_a_submodule_inside_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    iris = repo.raw_tree(("100644", b"etls.py", repo.blob("x")), ("160000", b"sub", "1" * 40))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="Iris/sub is a submodule"):
        put(repo, tmp_path)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [(Bounds(files=3), "more than 3 files"), (Bounds(bytes=10), "MB"), (Bounds(depth=2), "too deep")],
)
def test_a_release_that_is_too_much_is_refused(tmp_path: Path, bounds: Bounds, message: str) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "x" * 6).write("Iris/a/b/c", "y" * 6).commit()
    with pytest.raises(ReleaseFailed, match=message):
        put(repo, tmp_path, bounds)


def test_a_tree_that_unfolds_without_end_is_refused_soon(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    tree = repo.raw_tree(("100644", b"x", blob))
    for _ in range(30):
        tree = repo.raw_tree(*(("40000", f"{number:02}".encode(), tree) for number in range(30)))
    iris = repo.raw_tree(("40000", b"a", tree), ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="more than 2,000 files"):
        put(repo, tmp_path, Bounds(files=2000))
