"""A release whose artifact comes from a real store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import ReleaseGone
from core.release import Artifact, Release
from loader.artifacts.files.place import open_files
from loader.artifacts.store import ArtifactStore
from loader.files.file_list import is_whole
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.repos import Repo


def test_the_artifact_of_a_store_is_laid_over_the_folder_and_one_that_was_deleted_is_gone(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/train.py").write("Iris/table.txt", "old").commit()
    artifacts = ArtifactStore(open_files("", tmp_path / "data"))
    output = tmp_path / "output"
    output.mkdir()
    (output / "table.txt").write_text("new")
    artifact = Artifact(artifacts.put(output), "run")
    store = ReleaseStore(tmp_path / "data/releases", artifacts)
    source = GitSource(Remote(str(repo)), tmp_path / "data")
    revision = source.look().models["Iris"].revision
    assert revision is not None
    root = store.put(Release(revision, artifact), source)
    assert (root / "Iris/table.txt").read_text() == "new"
    assert is_whole(root)
    store.prune("Iris", set())
    artifacts.delete(artifact.id)
    with pytest.raises(ReleaseGone, match="run left is no longer kept"):
        store.put(Release(revision, artifact), source)
    assert os.listdir(tmp_path / "data/releases/Iris") == []
    source.close()
