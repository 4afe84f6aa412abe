"""Training by a class: made, trained, judged, saved, destroyed."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.worker.training.children import breach, outcome, raised, starting, write_folder
from worker.wire.training import Judged, NoScores, Trained

MODEL = """
    import json
    class Model:
        def __init__(self, layers=1):
            self.told = [["made", layers]]
        @staticmethod
        def get_param_type():
            return {"depth": "int", "rate": "float", "absent": "int"}
        def train(self, dataset_path, depth, rate=0.5, kind="x"):
            self.told.append(["train", dataset_path, depth, rate, kind])
        def evaluate(self, dataset_path):
            self.told.append(["evaluate", dataset_path])
            return 0.25, 0.75
        def save(self, path):
            with open(path + "told.json", "w") as file:
                json.dump(self.told, file)
        def load(self, path):
            with open(path + "told.json") as file:
                self.told += json.load(file)
        def destroy(self):
            print("destroyed after", json.dumps(self.told))
"""


def test_a_class_is_made_trained_judged_saved_and_destroyed(tmp_path: Path) -> None:
    config = {"dataset": "/d.csv", "params": {"depth": "6", "rate": 1, "kind": "y"}, "model_params": {"layers": 3}}
    with starting(write_folder(tmp_path, MODEL), **config) as child:
        assert child.hear_all() == [Trained({"score": 0.25, "score_1": 0.75})]
        assert child.wait() == 0
        told = json.loads((child.output / "told.json").read_text())
        assert told == [["made", 3], ["train", "/d.csv", 6, 1.0, "y"], ["evaluate", "/d.csv"]]
        assert isinstance(told[1][3], float)
        assert child.printed() == f"destroyed after {json.dumps(told)}\n"


def test_a_class_is_judged_on_the_validation_data(tmp_path: Path) -> None:
    config = {"dataset": "/d.csv", "validation": "/v.csv", "params": {"depth": 2}}
    with starting(write_folder(tmp_path, MODEL), **config) as child:
        child.hear_all()
        assert json.loads((child.output / "told.json").read_text())[-1] == ["evaluate", "/v.csv"]


def test_an_older_artifact_is_loaded_and_judged(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "told.json").write_text('[["older"]]')
    with starting(write_folder(tmp_path, MODEL), validation="/v.csv", evaluate=str(old)) as child:
        assert child.hear_all() == [Judged({"score": 0.25, "score_1": 0.75})]
        assert child.printed() == 'destroyed after [["made", 1], ["older"], ["evaluate", "/v.csv"]]\n'
        assert list(child.output.iterdir()) == []


def test_a_class_whose_constructor_needs_something_is_judged_with_model_params(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "told.json").write_text("[]")
    folder = write_folder(tmp_path, MODEL.replace("layers=1", "layers, units=5"))
    with starting(folder, evaluate=str(old), model_params={"layers": 3}) as child:
        assert isinstance(child.hear(), Judged)
        assert child.printed().startswith('destroyed after [["made", 3]')
    assert "needs the argument 'layers'" in breach(folder, evaluate=str(old))


@pytest.mark.parametrize("method", ["train", "evaluate", "save"])
def test_a_class_that_raises_is_told_and_destroyed(tmp_path: Path, method: str) -> None:
    lines = MODEL.splitlines()
    at = next(index for index, line in enumerate(lines) if f"def {method}(" in line)
    lines.insert(at + 1, "            raise ValueError('no')")
    with starting(write_folder(tmp_path, "\n".join(lines)), params={"depth": 1}) as child:
        (message,) = child.hear_all()
        assert message.message == f"train.py, line {at + 2}: ValueError: no"
        assert child.printed().startswith("destroyed after")


def test_a_constructor_that_raises_is_told_and_nothing_is_destroyed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, MODEL.replace('self.told = [["made", layers]]', "raise KeyError('x')"))
    assert raised(folder, params={"depth": 1}).message == "train.py, line 5: KeyError: 'x'"


def test_a_failure_of_destroy_costs_nothing_and_is_printed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, MODEL.replace("print(", "raise OSError("))
    with starting(folder, params={"depth": 1}) as child:
        assert isinstance(child.hear(), Trained)
        assert child.wait() == 0
        errors = child.errors()
        assert errors.startswith("Model.destroy raised; nothing else is affected:\nTraceback")
        assert "_pawl" not in errors


def test_a_class_that_is_stopped_is_destroyed(tmp_path: Path) -> None:
    train = MODEL.replace('self.told.append(["train"', 'print("begun"); import time; time.sleep(600); (["train"')
    with starting(write_folder(tmp_path, train), params={"depth": 1}) as child:
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"begun\n"
        child.process.send_signal(signal.SIGTERM)
        assert (child.hear_all(), child.wait()) == ([], -signal.SIGTERM)
        assert child.printed() == 'destroyed after [["made", 1]]\n'


def without(method: str) -> str:
    return MODEL.replace(f"def {method}(", f"def no_{method}(")


@pytest.mark.parametrize(
    ("code", "config", "said"),
    [
        (without("evaluate"), {}, "train.py, line 3: the class Model has no method evaluate(self, dataset_path)"),
        (without("save"), {}, "the class Model has no method save(self, path)"),
        (without("load"), {}, "the class Model has no method load(self, path)"),
        (MODEL, {}, "train.py, line 9: Model.train needs the argument 'depth'; add 'depth' to train.params in"),
        (
            MODEL,
            {"params": {"depth": 1, "dept": 1}},
            "Model.train takes no argument 'dept', which train.params has in model.yaml, or --set gave",
        ),
        (
            MODEL,
            {"params": {"depth": "deep"}},
            "has 'deep' (a str) as depth, and train.py, line 6: Model.get_param_type says that it is an int",
        ),
        (MODEL, {"params": {"depth": [1]}}, "train.params has [1] (a list) as depth"),
        (
            MODEL,
            {"model_params": {"layer": 1}},
            "train.py, line 3: the constructor of Model takes no argument 'layer', ",
        ),
        (MODEL, {"model_params": {"layer": 1}}, "which train.model_params has; it takes layers: is "),
        (
            MODEL.replace("self, dataset_path, depth", "self, *, depth"),
            {"params": {"depth": 1}},
            "has to take 1 by pos",
        ),
        (MODEL.replace('"int"', '"integer"'), {"params": {"depth": 1}}, "get_param_type returned 'integer' (a str) as"),
        (
            MODEL.replace("return {", "return 3 #"),
            {},
            "Model.get_param_type returned 3 (a int); it has to return a dict",
        ),
        (MODEL.replace("0.25, 0.75", "'good'"), {"params": {"depth": 1}}, "line 11: Model.evaluate returned 'good' (a"),
        (
            MODEL.replace('open(path + "told.json", "w")', "open('/dev/null', 'w')"),
            {"params": {"depth": 1}},
            "it left ",
        ),
    ],
)
def test_a_breach_is_told(tmp_path: Path, code: str, config: dict[str, Any], said: str) -> None:
    assert said in breach(write_folder(tmp_path, code), **config)


def test_a_class_that_returns_no_score_is_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, MODEL.replace("return 0.25, 0.75", "return None"))
    message = outcome(folder, params={"depth": 1})
    assert isinstance(message, NoScores)
    assert message.message.startswith("train.py, line 11: Model.evaluate returned None")


@pytest.mark.parametrize(
    ("given", "taken"), [(6.7, 6), ("6", 6), ("6.0", 6), (str(2**53 + 1), 2**53 + 1), (True, 1), (None, None)]
)
def test_a_whole_number_is_made_of_what_is_one(tmp_path: Path, given: Any, taken: int | None) -> None:
    with starting(write_folder(tmp_path, MODEL), params={"depth": given}) as child:
        child.hear_all()
        assert json.loads((child.output / "told.json").read_text())[1][2] == taken


def test_one_of_several_classes_is_named(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path, MODEL + "class Other(Model):\n    pass\n".replace("\n", "\n    ").replace("class", "    class")
    )
    assert isinstance(outcome(folder, entry="Other", params={"depth": 1}), Trained)
