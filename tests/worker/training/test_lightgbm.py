"""A LightGBM classifier in the class form, in an environment of its own: trained, judged, and served."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.worker.processes import starting as serving
from tests.worker.training.children import starting, write_folder
from worker.wire.training import Judged, Trained

TRAIN = """
    import json
    import lightgbm, numpy
    class Classifier:
        def __init__(self, num_leaves=7):
            self.num_leaves = num_leaves
        @staticmethod
        def get_param_type():
            return {"rounds": "int", "learning_rate": "float"}
        def train(self, dataset_path, rounds, learning_rate=0.1):
            rows = numpy.loadtxt(dataset_path, delimiter=",")
            data = lightgbm.Dataset(rows[:, :-1], rows[:, -1])
            params = {"objective": "binary", "num_leaves": self.num_leaves, "learning_rate": learning_rate,
                      "num_threads": 1, "min_data_in_leaf": 1}
            self.booster = lightgbm.train(params, data, num_boost_round=rounds)
        def evaluate(self, dataset_path):
            rows = numpy.loadtxt(dataset_path, delimiter=",")
            likely = self.booster.predict(rows[:, :-1])
            loss = -numpy.log(numpy.where(rows[:, -1] == 1, likely, 1 - likely)).mean()
            return loss, ((likely > 0.5) == rows[:, -1]).mean()
        def save(self, path):
            self.booster.save_model(path + "model.txt")
        def load(self, path):
            self.booster = lightgbm.Booster(model_file=path + "model.txt")
        def predict(self, query):
            return {"likely": self.booster.predict([[query["x"], query["y"]]])[0]}
        def destroy(self):
            self.booster = None
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment") / "env"
    subprocess.run([find_uv_bin(), "venv", "-q", str(folder)], check=True)
    command = [find_uv_bin(), "pip", "install", "-q", "--python", str(folder / "bin" / "python")]
    oldest = ["msgspec==0.18.6; python_version < '3.13'", "msgspec==0.19.0; python_version >= '3.13'"]
    subprocess.run([*command, "lightgbm==4.7.0", *oldest, "greenlet"], check=True)
    return folder / "bin" / "python"


def test_a_lightgbm_classifier_is_trained_judged_and_served(tmp_path: Path, python: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("".join(f"{x},{y},{int(x + y > 10)}\n" for x in range(10) for y in range(10)))
    folder = write_folder(tmp_path, TRAIN)
    config = {
        "python": str(python),
        "dataset": str(table),
        "params": {"rounds": "20"},
        "model_params": {"num_leaves": 5},
    }
    with starting(folder, **config) as child:
        (trained,) = child.hear_all()
        assert isinstance(trained, Trained), trained
        assert trained.scores["score_1"] > 0.95
        assert "LightGBM" in child.printed()
        assert os.listdir(child.output) == ["model.txt"]
    with starting(folder, **config, evaluate=str(child.output)) as judge:
        assert judge.hear_all() == [Judged(trained.scores)]
    (child.output / "model.txt").rename(folder / "model.txt")
    with serving(folder, python=str(python), artifact=f"{folder}/") as worker:
        worker.ready()
        status, answer = worker.ask({"variables": [{"x": 9, "y": 9}, {"x": 1, "y": 1}]})
        assert (status, [round(each["likely"]) for each in answer]) == (200, [1, 0])
