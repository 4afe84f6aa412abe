"""Releases of a repository, checked out into a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.release import Release
from loader.files.tree import Bounds
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.repos import Repo


@contextmanager
def following(repo: Repo | str, data: Path, bounds: Bounds | None = None) -> Iterator[GitSource]:
    source = GitSource(Remote(str(repo)), data, bounds or Bounds())
    try:
        yield source
    finally:
        source.close()


def release_of(source: GitSource, model: str = "Iris") -> Release:
    wanted = source.look().models[model]
    assert wanted.revision is not None, wanted.failure
    return Release(wanted.revision)


def put(repo: Repo | str, tmp_path: Path, bounds: Bounds | None = None) -> Path:
    with following(repo, tmp_path / "data", bounds) as source:
        return ReleaseStore(tmp_path / "data/releases").put(release_of(source), source)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".files.json"
    }
