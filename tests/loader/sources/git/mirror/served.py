"""A repository behind a git server, and a source that follows it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import GitServer, git_server
from tests.repos import Repo


@contextmanager
def served(tmp_path: Path, user: str = "", password: str = "") -> Iterator[tuple[Repo, GitServer]]:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "1")
    repo.bare(tmp_path / "served/models.git")
    with git_server(tmp_path / "served", user, password) as server:
        yield repo, server


@contextmanager
def following(url: str, data: Path, **settings: object) -> Iterator[GitSource]:
    source = GitSource(Remote(url, **settings), data)  # type: ignore[arg-type]
    try:
        yield source
    finally:
        source.close()


def push(repo: Repo, tmp_path: Path, *names: str) -> None:
    for name in names:
        repo.commit_file(name, os.urandom(20_000))
    repo.push(tmp_path / "served/models.git")
