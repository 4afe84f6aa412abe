"""A commit trains a model: what the gates accept is served, and what they don't changes nothing for callers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.repos import Repo
from tests.serving import Server, serving, wait_for

TRAIN = """
from pathlib import Path

def train(output, weight=1, score=0.5):
    Path(output, "weight.txt").write_text(str(weight))
    return {"quality": score}
"""

ETLS = """
class Scale:
    def __init__(self, path):
        self.weight = float(open(path + "weight.txt").read())

    def transform_predict(self, variables):
        return {"scaled": self.weight * variables["x"], "by": "one"}
"""

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


def manifest(**params: Any) -> str:
    return f"train: {{params: {params}, target: {{min: 0.5}}}}\n".replace("'", "")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Scale/train.py", TRAIN).write("Scale/etls.py", ETLS).write("Scale/model.yaml", manifest(weight=2))
    repo.commit()
    return repo


@pytest.fixture
def server(tmp_path: Path, repo: Repo) -> Iterator[Server]:
    with serving(tmp_path / "data", repo.path) as server:
        yield server


def answer(server: Server) -> Any:
    return server.post("/Scale", {"variables": {"x": 10}})


def ended(server: Server, count: int) -> Any:
    """The newest end of a run, once there are so many."""
    ends: list[Any] = server.wait(
        lambda: found if len(found := server.events("run_ended")) >= count else [], f"the end of run {count}"
    )
    return ends[0]


def attempts(data: Path) -> list[str]:
    return [path.name for path in (data / "artifacts" / "runs").glob("*/*/a*.json")]


def push(server: Server, repo: Repo, **files: str) -> None:
    for name, content in files.items():
        repo.write(f"Scale/{name.replace('_', '.', 1)}", content)
    repo.commit()
    server.sync()


def test_a_model_that_was_never_trained_says_so_and_is_served_once_it_is(tmp_path: Path, repo: Repo) -> None:
    repo.write("Scale/train.py", "import time\n" + TRAIN.replace("    Path", "    time.sleep(1)\n    Path", 1)).commit()
    with serving(tmp_path / "data", repo.path) as server:
        refused = answer(server)
        assert refused.error(503, "not_trained")["message"].startswith("Scale")
        server.wait_live("Scale", "v2")
        served = answer(server)
        assert served.json == {"scaled": 20.0, "by": "one"}
        assert len(served.headers["x-pawl-run"]) == 12


def test_a_changed_parameter_trains_and_a_changed_etls_does_not(server: Server, repo: Repo) -> None:
    server.wait_live("Scale", "v1")
    first = answer(server).headers["x-pawl-run"]
    push(server, repo, etls_py=ETLS.replace("one", "two"))
    server.wait_live("Scale", "v2")
    assert answer(server).json == {"scaled": 20.0, "by": "two"}
    assert answer(server).headers["x-pawl-run"] == first
    push(server, repo, model_yaml=manifest(weight=3))
    server.wait_live("Scale", "v3")
    assert answer(server).json == {"scaled": 30.0, "by": "two"}
    assert answer(server).headers["x-pawl-run"] != first
    assert len(server.events("run_started")) == 2


def test_a_revert_finds_its_artifact_at_hand(server: Server, repo: Repo) -> None:
    server.wait_live("Scale", "v1")
    push(server, repo, model_yaml=manifest(weight=3))
    server.wait_live("Scale", "v2")
    repo.revert()
    server.sync()
    server.wait_live("Scale", "v3")
    assert answer(server).json["scaled"] == 20.0
    assert len(server.events("run_started")) == 2


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"model_yaml": manifest(weight=3, score=0.1)}, "BelowTarget"),
        ({"train_py": TRAIN + "\n1 / 0\n"}, "division by zero"),
        ({"train_py": TRAIN.replace("return", "raise SystemExit(3)  #")}, "Exited"),
        ({"train_py": "import os\n" + TRAIN.replace("return", "os._exit(3)  #")}, "Exited"),
        ({"train_py": TRAIN.replace('{"quality": score}', "None")}, "NoScores"),
        ({"train_py": TRAIN.replace('{"quality": score}', 'float("nan")')}, "NoScores"),
        ({"train_py": TRAIN.replace('{"quality": score}', '"good"')}, "BadContract"),
        ({"train_py": TRAIN.replace("weight=1, ", "")}, "BadContract"),
        ({"train_py": "x = 1\n"}, "BadContract"),
    ],
)
def test_a_run_that_does_not_do_leaves_what_is_live(
    server: Server, repo: Repo, files: dict[str, str], said: str
) -> None:
    server.wait_live("Scale", "v1")
    push(server, repo, **files)
    end = ended(server, 2)
    assert said in end["message"] + end["detail"]
    assert answer(server).json == {"scaled": 20.0, "by": "one"}
    assert answer(server).headers["x-pawl-version"] == "v1"


def test_the_class_that_trained_is_served_by_its_predict(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Scale/train.py", CLASS_FORM)
    repo.write("Scale/model.yaml", "train: {params: {weight: 4}, metric: score_1, target: {min: 0.7}}\n").commit()
    with serving(tmp_path / "data", repo.path) as server:
        server.wait_live("Scale", "v1")
        assert answer(server).json == {"scaled": 40.0}


def test_an_older_run_is_asked_for_by_its_key(server: Server, repo: Repo) -> None:
    server.wait_live("Scale", "v1")
    first = answer(server).headers["x-pawl-run"]
    push(server, repo, model_yaml=manifest(weight=3))
    server.wait_live("Scale", "v2")
    older = server.post(f"/Scale/run-{first}", {"variables": {"x": 10}})
    assert (older.json["scaled"], older.headers["x-pawl-run"]) == (20.0, first)


def test_a_restart_serves_what_was_trained_and_trains_nothing(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        server.wait_live("Scale", "v1")
        run = answer(server).headers["x-pawl-run"]
    with serving(tmp_path / "data", repo.path) as server:
        server.wait_live("Scale", "v1")
        assert answer(server).headers["x-pawl-run"] == run
        server.sync()
        assert answer(server).headers["x-pawl-run"] == run
    assert len(attempts(tmp_path / "data")) == 1


def test_a_run_outlives_the_daemon_and_is_found_again(tmp_path: Path, repo: Repo) -> None:
    gate = tmp_path / "gate"
    waits = f"""
import time
from pathlib import Path

def wait():
    while not Path({str(gate)!r}).exists():
        time.sleep(0.05)
"""
    repo.write("Scale/train.py", waits + TRAIN.replace("    Path", "    wait()\n    Path", 1)).commit()
    with serving(tmp_path / "data", repo.path) as server:
        server.wait(lambda: server.events("run_started"), "the start of the run")
        wait_for(lambda: [*(tmp_path / "data" / "runs").glob("*/a1/process.json")], "the run's process")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    with serving(tmp_path / "data", repo.path) as server:
        gate.touch()
        server.wait_live("Scale", "v2")
        assert answer(server).json["scaled"] == 20.0
    assert attempts(tmp_path / "data") == ["a1.json"]
