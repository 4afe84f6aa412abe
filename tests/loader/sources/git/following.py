"""A source that follows a repository, and what it sees there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.release import Snapshot
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.repos import Repo


@contextmanager
def followed(repo: Repo | Path | str, data: Path, **settings: object) -> Iterator[GitSource]:
    source = GitSource(Remote(str(repo), **settings), data)  # type: ignore[arg-type]
    try:
        yield source
    finally:
        source.close()


def models(tmp_path: Path) -> Repo:
    """Two models, one of which shares a folder."""
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "class transform_predict: pass")
    repo.write("Churn/etls.py", "import common").write("Churn/model.yaml", "uses: [common]\n")
    repo.write("common/__init__.py", "")
    repo.write("README.md", "models")
    repo.commit("first")
    return repo


def version(desired: Snapshot, model: str) -> tuple[int, str]:
    found = desired.models[model].version
    return found.number, found.commit
