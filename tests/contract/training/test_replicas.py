"""Two daemons with one database and one store, of which one trains: whichever is asked, it is done, and both say so."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.admin_actions import act
from tests.postgres import Postgres
from tests.repos import Repo
from tests.serving import Server, serving

TRAIN = """
import os, time
from pathlib import Path

def train(output, gate="", weight=1):
    while gate and not os.path.exists(gate):
        time.sleep(0.05)
    Path(output, "weight.txt").write_text(str(weight))
    return {"quality": 1}
"""
ETLS = """
class Scale:
    def __init__(self, path):
        self.weight = float(open(path + "weight.txt").read())

    def transform_predict(self, variables):
        return {"scaled": self.weight * variables["x"]}
"""


@pytest.fixture
def daemons(tmp_path: Path, postgres: Postgres) -> Iterator[tuple[Server, Server]]:
    """The first one trains."""
    repo = Repo(tmp_path / "models")
    repo.commit_file("Scale/train.py", TRAIN)
    repo.commit_file("Scale/etls.py", ETLS)
    shared = {"DATABASE_URL": postgres.url, "ARTIFACTS": f"file://{tmp_path / 'store'}"}
    with ExitStack() as stack:
        trains = stack.enter_context(serving(tmp_path / "a", repo.path, **shared))
        trains.wait(lambda: states(trains) == {"succeeded"}, "the head's run")
        yield trains, stack.enter_context(serving(tmp_path / "b", repo.path, **shared))


def states(server: Server, **query: str) -> set[str]:
    return {run["state"] for run in listed(server) if all(run[key] == value for key, value in query.items())}


def listed(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.admin("GET", "/-/api/runs").json["items"]
    return found


def start(server: Server, **params: object) -> str:
    answer = act(server, "POST", "models/Scale/runs", {"params": params})
    assert answer.status == 201, answer
    assert answer.json["state"] in ("queued", "pending", "running")
    return str(answer.json["run"])


def wait_for_state(server: Server, run: str, state: str) -> None:
    server.wait(lambda: states(server, run=run) == {state}, f"run {run} to be {state}")


def test_what_is_asked_of_a_daemon_that_does_not_train_is_done_by_the_one_that_does(
    daemons: tuple[Server, Server], tmp_path: Path
) -> None:
    _, other = daemons
    run = start(other, gate=str(tmp_path / "gate"))
    for server in daemons:
        wait_for_state(server, run, "running")
    assert (tmp_path / "a/runs" / run).exists()
    assert act(other, "POST", f"runs/{run}/cancel").json["state"] == "cancelled"
    for server in daemons:
        wait_for_state(server, run, "cancelled")
    (tmp_path / "gate").touch()
    other.wait(lambda: act(other, "POST", f"runs/{run}/retry").status == 200, "its process to have ended")
    for server in daemons:
        wait_for_state(server, run, "succeeded")
    assert other.admin("GET", f"/-/api/runs/{run}").json["params"] == {"gate": str(tmp_path / "gate")}


def test_what_was_asked_of_a_daemon_that_is_lost_with_its_disk_is_done_by_another(
    daemons: tuple[Server, Server], tmp_path: Path
) -> None:
    trains, other = daemons
    run = start(trains, gate=str(tmp_path / "gate"))
    wait_for_state(other, run, "running")
    for pid in (trains.process.pid, *trains.pids()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    trains.stop()
    (tmp_path / "a").rename(tmp_path / "lost")
    (tmp_path / "gate").touch()
    wait_for_state(other, run, "succeeded")


def test_the_end_of_a_run_is_told_once_by_all_of_them(daemons: tuple[Server, Server], tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Scale/train.py", TRAIN.replace('"quality": 1', '"quality": 2'))
    for server in daemons:
        server.sync()
    for server in daemons:
        server.wait_live("Scale", "v3")
    run = daemons[0].post("/Scale", {"variables": {"x": 1}}).headers["x-pawl-run"]
    for server in daemons:
        server.wait(partial(ends_of, server, run), "the end of the run to be told")
        assert len(ends_of(server, run)) == 1


def ends_of(server: Server, run: str) -> list[str]:
    told = [event["message"] for event in server.events("run_ended")]
    return [message for message in told if message.startswith(f"run {run} ")]
