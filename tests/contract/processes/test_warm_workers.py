"""A worker started ahead: pushes use it, and it goes when the server does."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.repos import Repo
from tests.serving import echo, serving
from tests.waiting import wait_for


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models").write("Echo/etls.py", echo("one"))
    repo.commit()
    return repo


def test_a_push_is_served_by_the_warm_worker_and_leaves_another_one(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        server.wait(server.warm_workers, "the warm worker")
        [warm] = server.warm_workers()
        repo.write("Echo/etls.py", echo("two")).commit()
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.score("Echo", say=1) == {"said": 1, "by": "two"}
        assert warm in server.workers()
        server.wait(server.warm_workers, "the next warm worker")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_server(tmp_path: Path, repo: Repo, number: int) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        server.wait(server.warm_workers, "the warm worker")
        [warm] = server.warm_workers()
        server.stop(number)
        wait_for(lambda: not is_alive(warm), "the end of the warm worker")
