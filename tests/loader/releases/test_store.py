"""Releases with an artifact: a revision's files, and the artifact's laid over them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import ReleaseFailed, ReleaseGone
from core.release import Artifact, Release, Revision
from loader.files.file_list import is_whole
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.loader.artifact_folders import ArtifactFolders
from tests.repos import Repo


class Trained:
    """A repository of one model that trains, and a store of its releases."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo(folder / "models")
        self.repo.write("Iris/etls.py", "code").write("Iris/train.py").write("Iris/model.txt", "old").commit()
        self.artifacts = ArtifactFolders(folder / "artifacts")
        self.store = ReleaseStore(folder / "data/releases", self.artifacts)
        self.source = GitSource(Remote(str(self.repo)), folder / "data")

    def revision(self) -> Revision:
        revision = self.source.look().models["Iris"].revision
        assert revision is not None
        return revision

    def put(self, artifact: Artifact) -> Path:
        return self.store.put(Release(self.revision(), artifact), self.source)

    def names(self) -> list[str]:
        """Of what is on disk for the model."""
        folder = self.store.path(Release(self.revision())).parent
        return os.listdir(folder) if folder.is_dir() else []


@contextmanager
def trained(folder: Path) -> Iterator[Trained]:
    one = Trained(folder)
    try:
        yield one
    finally:
        one.source.close()


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_the_artifact_is_laid_over_the_folder_and_a_name_that_both_have_is_the_artifacts(tmp_path: Path) -> None:
    with trained(tmp_path) as one:
        root = one.put(one.artifacts.write("a1", {"model.txt": "new", "net/w.bin": "weights"}))
        assert files(root / "Iris") == {
            "etls.py": "code",
            "train.py": "",
            "model.txt": "new",
            "net/w.bin": "weights",
        }
        assert is_whole(root)
        assert root.name == Release(one.revision(), Artifact("a1", "")).id != one.revision().id
        assert {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")} == {0o555, 0o444}
        assert one.names() == [root.name]


def test_a_file_may_take_a_folders_place_and_a_folder_a_files(tmp_path: Path) -> None:
    with trained(tmp_path) as one:
        one.repo.write("Iris/a/x.py").write("Iris/a/y.py").write("Iris/b", "file").link("Iris/c", "b").commit()
        root = one.put(one.artifacts.write("a1", {"a": "file", "b/c/z.py": "z", "c/w.py": "w"}))
        found = files(root / "Iris")
        assert {name: found[name] for name in found if name[0] in "abc"} == {
            "a": "file",
            "b/c/z.py": "z",
            "c/w.py": "w",
        }
        assert not (root / "Iris/c").is_symlink()
        assert is_whole(root)


def test_releases_of_one_artifact_share_its_files(tmp_path: Path) -> None:
    with trained(tmp_path) as one:
        artifact = one.artifacts.write("a1", {"w.bin": "weights"})
        first = one.put(artifact)
        one.repo.commit_file("Iris/etls.py", "new code")
        second = one.put(artifact)
        assert first != second
        assert (first / "Iris/w.bin").stat().st_ino == (second / "Iris/w.bin").stat().st_ino
        assert files(second / "Iris")["etls.py"] == "new code"


def test_an_artifact_that_cannot_be_had_leaves_nothing(tmp_path: Path) -> None:
    with trained(tmp_path) as one:
        with pytest.raises(ReleaseGone):
            one.put(Artifact("a2", "run"))
        assert one.names() == []


def test_an_artifact_with_a_link_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with trained(tmp_path) as one:
        artifact = one.artifacts.write("a1", {"w.bin": "weights"})
        (tmp_path / "artifacts/a1/link").symlink_to("/etc")
        with pytest.raises(ReleaseFailed, match="link in the artifact is not a regular file"):
            one.put(artifact)
        assert one.names() == []


def test_a_release_that_lost_a_file_of_its_artifact_is_written_again(tmp_path: Path) -> None:
    with trained(tmp_path) as one:
        artifact = one.artifacts.write("a1", {"w.bin": "weights"})
        root = one.put(artifact)
        (root / "Iris").chmod(0o755)
        (root / "Iris/w.bin").unlink()
        assert files(one.put(artifact))["Iris/w.bin"] == "weights"
