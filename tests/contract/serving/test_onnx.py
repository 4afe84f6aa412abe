"""ONNX files: served by themselves, or given to a class."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.repos import Repo
from tests.serving import Server, serving
from tests.worker.models import mlp, strings

CLASS = """
import numpy as np

class Scorer:
    def __init__(self, onnx):
        self.session = onnx["scorer"]
        self.names = [each.name for each in self.session.get_inputs()]
        self.outputs = [each.name for each in self.session.get_outputs()]
        self.files = sorted(onnx)

    def transform_predict(self, variables):
        if "which" in variables:
            return {"inputs": self.names, "outputs": self.outputs, "files": self.files}
        row = np.array([variables["x"]], np.float32)
        (p, label) = self.session.run(None, {"x": row})
        (again,) = self.session.run(["label"], {"x": row})
        return {"p": p[0], "label": label[0], "same": again[0] == label[0]}
"""

ASKS_FOR_ANOTHER = (
    "class A:\n    def __init__(self, onnx):\n        onnx['other']\n    def transform_predict(self): ...\n"
)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("onnx") / "models")
    repo.write("Scorer/etls.py", CLASS).write("Alone/README.md").write("City/README.md").write("Several/README.md")
    repo.write("Wants/etls.py", ASKS_FOR_ANOTHER)
    mlp(repo.path / "Scorer" / "scorer.onnx")
    mlp(repo.path / "Scorer" / "another.onnx")
    mlp(repo.path / "Alone" / "any-name.onnx")
    strings(repo.path / "City" / "city.onnx")
    mlp(repo.path / "Several" / "one.onnx")
    mlp(repo.path / "Several" / "two.onnx")
    mlp(repo.path / "Wants" / "one.onnx")
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, DEVICE="cpu") as server:
        yield server


@pytest.fixture(scope="module")
def expected(repo: Repo) -> Any:
    """What ONNX Runtime says of a row."""
    session = onnxruntime.InferenceSession(
        str(repo.path / "Alone" / "any-name.onnx"), providers=["CPUExecutionProvider"]
    )

    def run(row: list[float]) -> tuple[list[float], int]:
        p, label = session.run(None, {"x": np.array([row], np.float32)})
        return p[0].tolist(), int(label[0])

    return run


def test_a_lone_onnx_is_served_by_its_own_signature(server: Server, expected: Any) -> None:
    p, label = expected([1, 2.5, 3, 4])
    assert server.score("Alone", x=[1, 2.5, 3, 4]) == {"p": pytest.approx(p), "label": label}
    assert server.score("Alone", x=[1, 2.5, 3, 4], more="ignored")["label"] == label
    assert server.score("City", city="Rome") == {"y": [0.0, 1.0]}


@pytest.mark.parametrize(
    "variables",
    [{}, {"x": [1, 2, 3]}, {"x": [[1, 2, 3, 4]] * 2}, {"x": "a"}, {"x": None}, {"x": [1, 2, 3, "a"]}, {"x": 5}],
)
def test_what_does_not_fit_its_signature_is_named(server: Server, variables: dict[str, Any]) -> None:
    error = server.post("/Alone", {"variables": variables}).error(422, "invalid_variables")
    assert error["field"] == "x"
    assert "x" in error["message"]


def test_a_list_is_answered_row_by_row(server: Server, expected: Any) -> None:
    rows = [[float(n), n / 2, -float(n), 1.0] for n in range(100)]
    answers = server.post("/Alone", {"variables": [{"x": row} for row in rows]}).json
    assert [answer["label"] for answer in answers] == [expected(row)[1] for row in rows]
    wrong = server.post("/Alone", {"variables": [{"x": rows[0]}, {"x": [1]}]}).error(422, "invalid_variables")
    assert (wrong["index"], wrong["field"]) == (1, "x")


def test_a_class_is_given_a_session_for_each_file(server: Server, expected: Any) -> None:
    assert server.score("Scorer", which=1) == {
        "inputs": ["x"],
        "outputs": ["p", "label"],
        "files": ["another", "scorer"],
    }
    p, label = expected([4, 3, 2, 1])
    assert server.score("Scorer", x=[4, 3, 2, 1]) == {"p": pytest.approx(p), "label": label, "same": True}


@pytest.mark.parametrize("model", ["Scorer", "Alone"])
def test_merged_calls_answer_as_single_ones_and_a_bad_row_fails_alone(
    server: Server, expected: Any, model: str
) -> None:
    rows = [[float(n % 17), n / 7, -float(n), 1.0] for n in range(400)]

    def ask(number: int) -> bool:
        if number % 10 == 9:
            answer = server.post(f"/{model}", {"variables": {"x": [1.0] * (number % 3 + 5)}})
            return answer.status == (422 if model == "Alone" else 500)
        p, label = expected(rows[number])
        answer = server.post(f"/{model}", {"variables": {"x": rows[number]}})
        return answer.status == 200 and answer.json["label"] == label and answer.json["p"] == pytest.approx(p, abs=1e-5)

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(len(rows))))


def test_whether_calls_are_merged_is_told_with_the_reason(server: Server) -> None:
    for model in ("Scorer", "Alone"):
        description = server.state(model)["live"]["description"]
        assert description["why"]
        for session in description["sessions"]:
            assert session["why"]
            assert session["provider"] == "CPUExecutionProvider"


def test_where_a_session_runs_is_in_the_log_and_the_metrics(server: Server) -> None:
    [went_live] = [line for line in server.lines if "Scorer: v1 is live" in line]
    assert went_live.endswith(", another.onnx on CPUExecutionProvider, scorer.onnx on CPUExecutionProvider")
    said = server.request("GET", f"{server.url}/metrics").body.decode()
    labels = 'model="Scorer",provider="CPUExecutionProvider",session="scorer",version="v1"'
    assert f"pawl_session_provider{{{labels}}} 1.0" in said


def test_several_onnx_without_a_class_and_one_that_is_not_there_are_named(server: Server) -> None:
    several = server.state("Several")["failure"]["message"]
    assert "one.onnx" in several
    assert "two.onnx" in several
    wants = server.state("Wants")["failure"]["message"]
    assert "other.onnx" in wants
    assert "one.onnx" in wants


def test_a_device_that_is_not_there_fails_the_release_saying_so(tmp_path: Path, repo: Repo) -> None:
    if any(Path(each).exists() for each in ("/dev/nvidiactl", "/proc/driver/nvidia/version")):
        pytest.skip("there is a GPU here")
    with serving(tmp_path / "data", repo.path, DEVICE="cuda") as server:
        failure = server.state("Alone")["failure"]
        assert failure["stage"] == "load"
        assert "device cuda was asked for, but no NVIDIA GPU is visible here" in failure["message"]
