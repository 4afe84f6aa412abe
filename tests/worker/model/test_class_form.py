"""Serving a class that trains, saves and loads itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.worker.onnx.test_batch_wait import doubling
from tests.worker.processes import starting, write_model

TRAINED = """
    import os, threading
    class Model:
        "Adds what it has learned."
        def __init__(self, layers=1):
            self.layers = layers
        def train(self, dataset_path): ...
        def evaluate(self, dataset_path): return 1
        def save(self, path): ...
        def load(self, path):
            assert path.endswith("/") and os.path.isdir(path)
            self.learned = int(open(path + "learned.txt").read())
        def predict(self, query):
            return {"sum": query["x"] + self.learned, "layers": self.layers, "loaded": self.learned}
        def destroy(self):
            print("destroyed")
"""


def folder(root: Path, code: str, etls: str | None = None, **files: Any) -> Path:
    return write_model(root, etls, train__py=code, learned__txt="3", **files)


def test_it_is_loaded_and_predicts_from_the_variables(tmp_path: Path) -> None:
    with starting(folder(tmp_path, TRAINED)) as worker:
        description = worker.ready()
        assert (description.takes, description.concurrent) == ("dict", False)
        assert description.doc == "Adds what it has learned."
        assert worker.ask({"variables": {"x": 4}}) == (200, {"sum": 7, "layers": 1, "loaded": 3})
        assert worker.ask({"variables": [{"x": 1}, {"x": 2}]})[1][1]["sum"] == 5


def test_it_is_destroyed_at_the_end_of_the_workers_life(tmp_path: Path) -> None:
    with starting(folder(tmp_path, TRAINED)) as worker:
        worker.ready()
        worker.drain()
        assert worker.wait() == 0
        assert worker.process.stdout is not None
        assert worker.process.stdout.read() == b"destroyed\n"


def test_it_is_destroyed_when_it_can_not_be_loaded(tmp_path: Path) -> None:
    model = folder(tmp_path, TRAINED)
    (model / "learned.txt").unlink()
    with starting(model) as worker:
        failure = worker.failed()
        assert failure.message.startswith("train.py, line 12: Model.load raised FileNotFoundError")
        assert "_pawl" not in failure.traceback
        assert worker.process.stdout is not None
        assert worker.process.stdout.read() == b"destroyed\n"


def test_the_artifact_may_lie_elsewhere(tmp_path: Path) -> None:
    model = folder(tmp_path, TRAINED)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "learned.txt").write_text("10")
    with starting(model, artifact=str(tmp_path / "other")) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 1}})[1]["sum"] == 11


def test_a_constructor_with_defaults_for_all_is_given_nothing(tmp_path: Path) -> None:
    with starting(folder(tmp_path, TRAINED), model_params={"layers": 5}) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 1}})[1]["layers"] == 1


def test_a_constructor_that_needs_something_is_given_model_params(tmp_path: Path) -> None:
    code = TRAINED.replace("layers=1", "layers, units=2")
    with starting(folder(tmp_path, code), model_params={"layers": 5}) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 1}})[1]["layers"] == 5
    with starting(folder(tmp_path, code)) as worker:
        assert worker.failed().message.startswith(
            "train.py, line 3: the constructor of Model needs the argument 'layers'; add 'layers' to "
            "train.model_params in model.yaml"
        )


def test_a_query_annotated_bytes_gets_the_body_as_it_is(tmp_path: Path) -> None:
    code = TRAINED.replace(
        "def predict(self, query):", "def predict(self, query: bytes):\n            return {'n': list(query)}"
    )
    with starting(folder(tmp_path, code)) as worker:
        assert worker.ready().takes == "bytes"
        assert worker.ask(b"\xff\x00{") == (200, {"n": [255, 0, 123]})
        assert worker.ask(b"") == (200, {"n": []})


def test_a_typed_query_is_validated_and_described(tmp_path: Path) -> None:
    typed = "import dataclasses\n    @dataclasses.dataclass\n    class Query:\n        x: int\n    class Model"
    code = (
        TRAINED.replace("class Model", typed)
        .replace("self, query", "self, query: Query")
        .replace('query["x"]', "query.x")
    )
    with starting(folder(tmp_path, code), train_entry="Model") as worker:
        description = worker.ready()
        assert description.takes == "typed"
        assert description.variables_schema is not None
        assert worker.ask({"variables": {"x": 4}})[1]["sum"] == 7
        status, answer = worker.ask({"variables": {"x": "no"}})
        assert (status, answer["error"]["field"]) == (422, "x")


def test_one_request_runs_at_a_time(tmp_path: Path) -> None:
    with starting(folder(tmp_path, TRAINED), threads=2) as worker:
        message = worker.failed().message
        assert message.startswith("model.yaml: serve.threads is 2, and a class that is served by its predict gets one")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            TRAINED.replace("def predict", "def guess"),
            "train.py, line 3: the class Model has no method predict(self, query)",
        ),
        (TRAINED.replace("def load", "def read"), "train.py, line 3: the class Model has no method load(self, path)"),
        (TRAINED.replace("def predict", "async def predict"), "Model.predict is a coroutine"),
        (
            TRAINED.replace("self, query", "self, query, more"),
            "Model.predict takes query, more; it can take nothing, or",
        ),
        (
            TRAINED.replace("self, query", "self, query: int"),
            "predict takes int; it can take a dict, a pandas.DataFrame,",
        ),
        ("class A: ...", "train.py: it has neither a function train nor a class with a method train"),
        ("def train(): ...", "the folder has neither an etls.py, nor an .onnx, nor a train.py with a class that has a"),
        ("1 / 0", "train.py, line 1: importing train.py raised ZeroDivisionError"),
    ],
)
def test_a_class_that_can_not_be_served_is_told(tmp_path: Path, code: str, said: str) -> None:
    with starting(folder(tmp_path, code)) as worker:
        assert said in worker.failed().message


def test_etls_py_goes_first(tmp_path: Path) -> None:
    etls = "class A:\n    def transform_predict(self): return {'by': 'etls'}\n"
    with starting(folder(tmp_path, "1 / 0", etls), artifact=str(tmp_path)) as worker:
        worker.ready()
        assert worker.ask() == (200, {"by": "etls"})


@pytest.mark.parametrize(
    "code",
    [
        "def train(): ...\n1 / 0\n",
        "class M:\n    def train(self): ...\n1 / 0\n",
        "from nowhere import train\n",
        "def (",
    ],
)
def test_an_onnx_that_was_trained_is_served_without_its_training_code(tmp_path: Path, code: str) -> None:
    with starting(folder(tmp_path, code, any__onnx=doubling())) as worker:
        assert worker.ready().takes == "onnx"
        assert worker.ask({"variables": {"x": [2]}}) == (200, {"y": [4.0]})


@pytest.mark.parametrize("code", [TRAINED, TRAINED.replace("class Model:", "class Model(object):")])
def test_a_class_that_predicts_goes_before_an_onnx_that_it_left(tmp_path: Path, code: str) -> None:
    with starting(folder(tmp_path, code, any__onnx=doubling())) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 4}})[1]["sum"] == 7


def test_a_class_with_both_halves_is_loaded_before_it_serves(tmp_path: Path) -> None:
    etls = TRAINED.replace("layers=1", "path, layers").replace("def predict", "def transform_predict")
    model = write_model(tmp_path, etls, learned__txt="3")
    with starting(model, artifact=f"{model}/", model_params={"layers": 2}) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 4}}) == (200, {"sum": 7, "layers": 2, "loaded": 3})
        worker.drain()
        assert worker.wait() == 0
        assert worker.process.stdout is not None
        assert worker.process.stdout.read() == b"destroyed\n"


def test_a_class_in_etls_py_may_serve_by_predict(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, TRAINED, learned__txt="3")) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 4}})[1]["sum"] == 7
