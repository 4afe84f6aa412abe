"""A model of a test's own, on a server that the tests of a module share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from tests.repos import Repo
from tests.serving import Server, echo

_NUMBERS = itertools.count(1)


@contextmanager
def own_model(server: Server, repo: Repo, *editions: str) -> Iterator[str]:
    """The name of a model whose editions are pushed together, the last of which is live; in the end it is removed, and
    its processes are gone."""
    workers = len(server.workers())
    name = f"Echo{next(_NUMBERS)}"
    for edition in editions:
        repo.commit_file(f"{name}/etls.py", echo(edition))
    server.sync()
    yield name
    if (repo.path / name).is_dir():
        repo.remove(name)
    repo.commit()
    server.sync()
    server.wait(lambda: len(server.workers()) <= workers, f"the end of {name}")
