"""A commit trains a model: what the gates accept is served, and what they don't changes nothing for callers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loader.artifacts.files.place import open_files
from loader.artifacts.store import ArtifactStore
from loader.releases.store import ReleaseStore
from tests.admin_actions import act
from tests.contract.training.trained import BASE, ETLS, TRAIN, Trained, manifest, write
from tests.own_models import own_model
from tests.repos import Repo
from tests.serving import Server, serving
from tests.waiting import wait_for

CLASS_FORM = """
from pathlib import Path

class Scale:
    def __init__(self, offset=0):
        self.offset = offset

    def train(self, dataset_path, weight=1):
        self.weight = weight

    def evaluate(self, dataset_path):
        return 0.25, 0.75

    def save(self, path):
        Path(path, "weight.txt").write_text(str(self.weight))

    def load(self, path):
        self.weight = float(Path(path, "weight.txt").read_text())

    def predict(self, query):
        return {"scaled": self.weight * query["x"]}
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("training") / "models")
    write(repo, "Steady", BASE)
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, VERSION_IDLE_S="1") as server:
        server.wait_live("Steady", "v1")
        yield server


def test_a_changed_parameter_trains_and_a_changed_etls_does_not(trained: Trained) -> None:
    first = trained.ask()
    assert first.json == {"scaled": 20.0, "by": "one"}
    assert len(first.headers["x-pawl-run"]) == 12
    trained.push({"etls.py": ETLS.replace("one", "two")})
    second = trained.wait_live("v2")
    assert second.json == {"scaled": 20.0, "by": "two"}
    assert second.headers["x-pawl-run"] == first.headers["x-pawl-run"]
    trained.push({"model.yaml": manifest(weight=3)})
    third = trained.wait_live("v3")
    assert third.json == {"scaled": 30.0, "by": "two"}
    assert third.headers["x-pawl-run"] != first.headers["x-pawl-run"]
    assert len(trained.events("run_started")) == 2


def test_an_older_run_is_asked_for_by_its_key_and_a_revert_finds_its_artifact_at_hand(trained: Trained) -> None:
    first = trained.ask().headers["x-pawl-run"]
    trained.push({"model.yaml": manifest(weight=3)})
    trained.wait_live("v2")
    older = trained.ask(f"run-{first}")
    assert (older.json["scaled"], older.headers["x-pawl-run"]) == (20.0, first)
    trained.repo.revert()
    trained.server.sync()
    again = trained.wait_live("v3")
    assert (again.json["scaled"], again.headers["x-pawl-run"]) == (20.0, first)
    assert len(trained.events("run_started")) == 2


def test_a_run_whose_release_was_turned_down_says_so_and_how_it_is_taken_back(trained: Trained) -> None:
    trained.push({"model.yaml": manifest(weight=3)})
    second = trained.wait_live("v2").headers["x-pawl-run"]
    assert act(trained.server, "POST", f"models/{trained.name}/rollback", {"reason": "worse"}).status == 200
    says = f"what it left was turned down by a rollback; pawl accept {trained.name} v2 takes it back"
    assert says in act(trained.server, "GET", f"runs/{second}").json["message"]
    refused = act(trained.server, "POST", f"runs/{second}/accept", {"reason": "better after all"})
    assert says in refused.error(409, "run_state")["message"]
    assert act(trained.server, "POST", f"models/{trained.name}/versions/v2/accept", {"reason": "so"}).status == 200
    assert trained.ask().headers["x-pawl-run"] == second
    assert "turned down" not in act(trained.server, "GET", f"runs/{second}").json["message"]


def test_a_revert_to_what_is_no_longer_kept_trains_it_again_and_goes_live(trained: Trained) -> None:
    first = trained.ask().headers["x-pawl-run"]
    trained.push({"model.yaml": manifest(weight=3)})
    trained.wait_live("v2")
    forget(trained, first)
    trained.repo.revert()
    trained.server.sync()
    again = trained.wait_live("v3")
    assert (again.json["scaled"], again.headers["x-pawl-run"]) == (20.0, first)
    assert act(trained.server, "GET", f"runs/{first}").json["attempts"] == 2
    told = [(one["actor"]["kind"], "no longer kept" in one["message"]) for one in trained.events("run_queued")]
    assert told == [("git", True), ("git", False), ("git", False)]


def forget(trained: Trained, run: str) -> None:
    """As pruning does once a run is long past: its artifact goes, and all releases but the one that is live."""
    data = trained.server.settings.data
    ArtifactStore(open_files("", data)).delete(act(trained.server, "GET", f"runs/{run}").json["artifact"])
    ReleaseStore(data / "releases").prune(trained.name, {trained.server.state(trained.name)["live"]["release"]})


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"model.yaml": manifest(weight=3, score=0.1)}, "BelowTarget"),
        ({"train.py": TRAIN + "\n1 / 0\n"}, "division by zero"),
        ({"train.py": TRAIN.replace("return", "raise SystemExit(3)  #")}, "Exited"),
        ({"train.py": "import os\n" + TRAIN.replace("return", "os._exit(3)  #")}, "Exited"),
        ({"train.py": TRAIN.replace('{"quality": score}', "None")}, "NoScores"),
        ({"train.py": TRAIN.replace('{"quality": score}', 'float("nan")')}, "NoScores"),
        ({"train.py": TRAIN.replace('{"quality": score}', '"good"')}, "BadContract"),
        ({"train.py": TRAIN.replace("weight=1, ", "")}, "BadContract"),
        ({"train.py": "x = 1\n"}, "BadContract"),
    ],
)
def test_a_run_that_does_not_do_leaves_what_is_live(
    server: Server, repo: Repo, files: dict[str, str], said: str
) -> None:
    steady = Trained(server, repo, "Steady")
    steady.wait_live("v1")
    before = len(steady.events("run_ended"))
    steady.push({**BASE, **files})
    server.wait(lambda: len(steady.events("run_ended")) > before, "the run's end")
    end = steady.events("run_ended")[0]
    assert said in end["message"] + end["detail"]
    answer = steady.ask()
    assert (answer.json, answer.headers["x-pawl-version"]) == ({"scaled": 20.0, "by": "one"}, "v1")


def test_the_class_that_trained_is_served_by_its_predict(server: Server, repo: Repo) -> None:
    with own_model(server, repo) as name:
        trained = Trained(server, repo, name)
        metric = "train: {params: {weight: 4}, metric: score_1, target: {min: 0.7}}\n"
        trained.push({"train.py": CLASS_FORM, "model.yaml": metric})
        assert trained.wait_live("v1").json == {"scaled": 40.0}


def test_a_run_outlives_the_daemon_and_is_found_again_and_a_restart_trains_nothing(tmp_path: Path) -> None:
    gate, data = tmp_path / "gate", tmp_path / "data"
    waits = f"""
import time
from pathlib import Path

def wait():
    while not Path({str(gate)!r}).exists():
        time.sleep(0.05)
"""
    repo = Repo(tmp_path / "models")
    write(repo, "Scale", {**BASE, "train.py": waits + TRAIN.replace("    Path", "    wait()\n    Path", 1)})
    repo.commit()
    with serving(data, repo.path) as server:
        refused = Trained(server, repo).ask()
        assert refused.error(503, "not_trained")["message"].startswith("Scale")
        server.wait(lambda: server.events("run_started"), "the start of the run")
        wait_for(lambda: [*(data / "runs").glob("*/a1/process.json")], "the run's process")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    with serving(data, repo.path) as server:
        gate.touch()
        first = Trained(server, repo).wait_live("v1")
        assert first.json["scaled"] == 20.0
        [run] = server.admin("GET", "/-/api/runs").json["items"]
        assert (run["state"], run["attempts"]) == ("succeeded", 1)
    with serving(data, repo.path) as server:
        again = Trained(server, repo).wait_live("v1")
        server.sync()
        assert again.headers["x-pawl-run"] == first.headers["x-pawl-run"]
        [run] = server.admin("GET", "/-/api/runs").json["items"]
        assert (run["state"], run["attempts"]) == ("succeeded", 1)
    assert [path.name for path in (data / "artifacts" / "runs").glob("*/*/a*.json")] == ["a1.json"]
