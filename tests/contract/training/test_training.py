"""A commit trains a model, and what it left is served."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import Server, serving, wait_for

TRAIN = """
def train(output, depth):
    with open(output + "depth.txt", "w") as file:
        file.write(str(depth))
    return {"accuracy": depth / 10}
"""
ETLS = """
class Depth:
    def __init__(self, path):
        with open(path + "depth.txt") as file:
            self.depth = int(file.read())

    def transform_predict(self, variables):
        return {"depth": self.depth}
"""


def depth(number: int) -> str:
    return f"train: {{params: {{depth: {number}}}, target: {{min: 0.3}}}}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Deep/train.py", TRAIN).write("Deep/etls.py", ETLS).write("Deep/model.yaml", depth(5)).commit()
    return repo


def wait_depth(server: Server, number: int) -> str:
    """The key of the run whose artifact answers so."""
    wait_for(lambda: server.post("/Deep").status == 200 and server.post("/Deep").json == {"depth": number}, "it")
    return server.post("/Deep").headers["x-pawl-run"]


def test_what_a_commit_trains_is_served_when_it_is_good_enough(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        first = wait_depth(server, 5)
        repo.write("Deep/model.yaml", depth(6)).commit()
        server.sync()
        second = wait_depth(server, 6)
        assert second != first
        repo.write("Deep/model.yaml", depth(1)).commit()
        server.sync()
        wait_for(lambda: states(server).count("rejected") == 1, "the rejection")
        assert server.post("/Deep").json == {"depth": 6}
        repo.write("Deep/model.yaml", depth(5)).commit()  # a revert: the artifact is at hand
        server.sync()
        assert wait_depth(server, 5) == first
        repo.write("Deep/etls.py", ETLS.replace('"depth": s', '"deep": s')).commit()
        server.sync()
        wait_for(lambda: server.post("/Deep").json == {"deep": 5}, "the new etls.py")
        assert server.post("/Deep").headers["x-pawl-run"] == first
        assert sorted(states(server)) == ["rejected", "succeeded", "succeeded"]


def test_a_restart_serves_what_was_trained_and_trains_nothing_again(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        first = wait_depth(server, 5)
    with serving(tmp_path / "data", repo.path) as server:
        assert wait_depth(server, 5) == first
        assert states(server) == ["succeeded"]


def test_a_run_goes_on_when_the_daemon_is_killed(tmp_path: Path, repo: Repo) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.05)\n"
    repo.write("Deep/train.py", waits + TRAIN).commit()
    with serving(tmp_path / "data", repo.path) as server:
        wait_for(lambda: states(server) == ["running"], "the run")
        server.stop(signal.SIGKILL)
    with serving(tmp_path / "data", repo.path) as server:
        wait_for(lambda: states(server) == ["running"], "the same run")
        gate.touch()
        wait_depth(server, 5)
        [run] = server.admin("GET", "/-/api/runs").json["items"]
        assert (run["state"], run["attempts"]) == ("succeeded", 1)


def states(server: Server) -> list[str]:
    return [run["state"] for run in server.admin("GET", "/-/api/runs").json["items"]]
