"""What a commit does on a laptop, it does in the cluster: the whole server, with runs as Jobs.

In the double, or in a cluster that is there: tests/cluster/real.py says how.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.gate import WAIT, Gate
from tests.cluster.installation import NOWHERE, Installation, installed
from tests.pawl.commands import pawl
from tests.serving import TOKEN, Server

TRAIN = (
    WAIT
    + """
def train(output, gate="", depth=1):
    print("depth", depth, flush=True)
    wait(gate)
    with open(output + "depth.txt", "w") as file:
        file.write(str(depth))
    return {"accuracy": depth / 10}
"""
)
ETLS = """
class Deep:
    def __init__(self, path):
        self.depth = open(path + "depth.txt").read()

    def transform_predict(self, variables):
        return {"depth": self.depth}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("installed")) as installation:
        yield installation


@pytest.fixture
def gate(here: Installation) -> Iterator[Gate]:
    gate = Gate(here.cluster.host)
    yield gate
    gate.close()


def push(here: Installation, model: str, train: str = "{}") -> None:
    here.push(model, train_py=TRAIN, etls_py=ETLS, model_yaml=f"train: {train}\n")


def act(here: Installation, run: str, action: str, reason: str) -> None:
    """Asked again for as long as the answer is that the pod is still ending."""
    headers = {"authorization": f"Bearer {TOKEN}"}

    def is_done() -> bool:
        answer = here.server.post(f"/-/api/runs/{run}/{action}", {"reason": reason}, headers=headers)
        assert answer.status == 200 or "ask again soon" in answer.json["error"]["message"], answer.body
        return answer.status == 200

    here.server.wait(is_done, action)


def listed(server: Server, *arguments: str) -> Any:
    done = pawl("runs", *arguments, "--json", cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_commit_is_trained_in_a_pod_and_served(here: Installation) -> None:
    push(here, "First", "{params: {depth: 6}, target: {min: 0.5}}")
    here.server.wait_live("First", "v1")
    answer = here.server.post("/First", {"variables": {}})
    assert answer.json == {"depth": "6"}
    run = here.run("First", "succeeded")
    assert (answer.headers["x-pawl-run"], run["scores"]) == (run["run"], {"accuracy": 0.6})
    assert "depth 6" in here.server.admin("GET", f"/-/api/runs/{run['run']}/log").body.decode()
    assert len(here.jobs(run["run"])) == 1


def test_a_daemon_that_is_killed_finds_its_run_again_and_serves_what_it_left(here: Installation, gate: Gate) -> None:
    push(here, "Killed", f"{{params: {{gate: {gate.address}, depth: 7}}}}")
    gate.reached()
    here.kill()
    here.restart()
    assert here.server.wait(lambda: here.run("Killed", "running"), "the run")
    gate.open()
    here.server.wait_live("Killed", "v1")
    assert here.server.score("Killed") == {"depth": "7"}
    run = here.run("Killed", "succeeded")
    assert [job["metadata"]["name"][-2:] for job in here.jobs(run["run"])] == ["a1"]


def test_a_server_that_is_replaced_leaves_its_run_to_the_next(here: Installation, gate: Gate) -> None:
    push(here, "Replaced", f"{{params: {{gate: {gate.address}, depth: 5}}}}")
    gate.reached()
    run = here.run("Replaced", "running")["run"]
    assert here.server.stop() == 0
    assert "deletionTimestamp" not in here.jobs(run)[0]["metadata"]
    here.restart()
    gate.open()
    here.server.wait_live("Replaced", "v1")
    assert here.server.score("Replaced") == {"depth": "5"}
    assert [job["metadata"]["name"][-2:] for job in here.jobs(run)] == ["a1"]


def test_while_the_api_server_is_away_models_answer_and_runs_go_on(here: Installation, gate: Gate) -> None:
    push(here, "Away", f"{{params: {{gate: {gate.address}, depth: 4}}}}")
    gate.reached()
    run = here.run("Away", "running")["run"]
    with here.cluster.away():
        gate.open()
        here.server.wait(lambda: here.jobs(run)[0]["status"].get("succeeded"), "the Job's end")
        assert here.server.score("Echo")["by"] == "one"
    here.server.wait_live("Away", "v1")
    assert here.server.score("Away") == {"depth": "4"}
    assert len(here.jobs(run)) == 1


def test_a_run_that_ends_while_nobody_looks_is_served_by_a_server_without_its_data(
    here: Installation, gate: Gate, tmp_path: Path
) -> None:
    push(here, "Lost", f"{{params: {{gate: {gate.address}, depth: 8}}}}")
    gate.reached()
    run = here.run("Lost", "running")
    here.kill()
    gate.open()
    here.server.wait(lambda: here.jobs(run["run"])[0]["status"].get("succeeded"), "the Job's end")
    here.restart(tmp_path / "other")
    here.server.wait_live("Lost", "v1")
    assert here.server.score("Lost") == {"depth": "8"}
    assert len(here.jobs(run["run"])) == 1


def test_a_run_is_cancelled_and_tried_again(here: Installation, gate: Gate) -> None:
    push(here, "Stopped", f"{{params: {{gate: {gate.address}, depth: 9}}}}")
    gate.reached()
    run = here.run("Stopped", "running")["run"]
    act(here, run, "cancel", reason="not now")
    assert here.run("Stopped", "cancelled")["run"] == run
    gate.open()
    act(here, run, "retry", reason="now")
    gate.reached()
    assert [job["metadata"]["name"][-2:] for job in here.jobs(run)] == ["a2"]
    gate.open()
    here.server.wait_live("Stopped", "v1")
    assert here.server.score("Stopped") == {"depth": "9"}
    assert here.run("Stopped", "succeeded")["attempts"] == 2


GOES_ON = (
    WAIT
    + """
import os, time

def train(output, checkpoint, report, gate):
    open(output + "depth.txt", "w").write("from the checkpoint")
    if os.path.exists(checkpoint + "half"):
        return 1
    open(checkpoint + "half", "w").close()
    wait(gate)
    while not report(1):
        time.sleep(0.05)
"""
)


def test_a_run_whose_node_is_drained_goes_on_from_its_checkpoint_in_the_store(here: Installation, gate: Gate) -> None:
    here.push("Drained", train_py=GOES_ON, etls_py=ETLS, model_yaml=f"train: {{params: {{gate: {gate.address}}}}}\n")
    gate.reached()
    run = here.run("Drained", "running")["run"]
    here.cluster.drain(here.pod(run))
    gate.open()
    here.server.wait_live("Drained", "v1")
    assert here.server.score("Drained") == {"depth": "from the checkpoint"}
    assert here.run("Drained", "succeeded")["attempts"] == 2


def test_a_rejected_run_is_accepted_and_served(here: Installation) -> None:
    push(here, "Low", "{params: {depth: 2}, target: {min: 0.5}}")
    run = here.run("Low", "rejected")
    assert run["reason"] == "BelowTarget"
    act(here, run["run"], "accept", reason="it will do")
    here.server.wait_live("Low", "v1")
    assert here.server.score("Low") == {"depth": "2"}


def test_what_the_cluster_does_to_a_pod_is_the_reason_that_people_read(here: Installation, gate: Gate) -> None:
    push(here, "Large", f"{{params: {{gate: {gate.address}}}}}")
    gate.reached()
    run = here.run("Large", "running")["run"]
    here.cluster.run_out_of_memory(here.pod(run))
    failed = here.run("Large", "failed")
    assert (failed["run"], failed["reason"]) == (run, "OutOfMemory")
    assert "train.resources.memory" in failed["message"]
    [shown] = listed(here.server, "--model", "Large")
    assert (shown["state"], shown["reason"]) == ("failed", "OutOfMemory")
    told = listed(here.server, "show", run)
    assert "depth 1" in told["detail"], "what it printed last"


@pytest.mark.parametrize(
    ("model", "train", "reason", "said"),
    [
        ("Unplaced", "resources: {cpu: 1000}", "Unschedulable", "Insufficient cpu"),
        ("Unpulled", f"image: {NOWHERE}", "ImagePull", NOWHERE),
    ],
)
def test_a_pod_that_does_not_start_says_why(here: Installation, model: str, train: str, reason: str, said: str) -> None:
    push(here, model, f"{{{train}, pending_s: {here.cluster.pending_s}, retries: 0}}")
    run = here.run(model, "failed")
    assert run["reason"] == reason
    assert said in run["message"]
    assert here.server.post(f"/{model}", {"variables": {}}).error(503, "not_trained")
