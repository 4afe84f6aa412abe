"""Training by a function: what it is given, and what becomes of what it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worker.training.children import breach, outcome, starting, write_folder
from worker.wire.training import CannotJudge, Judged, NoScores, Trained

ALL = """
    import json, os, sys
    def train(dataset, validation, output, checkpoint, report, model_params, *, depth=3):
        told = [dataset, validation, output, checkpoint, model_params, depth, report(1), os.getcwd()]
        open(output + "told.json", "w").write(json.dumps(told))
        return {"accuracy": 0.5, "loss": 2}
"""


def test_a_function_gets_every_argument_that_it_names(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ALL)
    config = {"dataset": "/d.csv", "validation": "/v.csv", "params": {"depth": 6}, "model_params": {"a": 1}}
    with starting(folder, **config) as child:
        _, last = child.hear_all()
        told = json.loads((child.output / "told.json").read_text())
    assert isinstance(last, Trained)
    assert list(last.scores.items()) == [("accuracy", 0.5), ("loss", 2.0)]
    output, checkpoint = f"{tmp_path}/output/", f"{tmp_path}/checkpoint/"
    assert told == ["/d.csv", "/v.csv", output, checkpoint, {"a": 1}, 6, False, str(folder)]


def leaving(body: str) -> str:
    return f"def train(output):\n    open(output + 'm', 'w').close()\n    {body}\n"


@pytest.mark.parametrize(
    ("returned", "scores"),
    [
        ("{'auc': 0.9, 'n': 3}", {"auc": 0.9, "n": 3.0}),
        ("0.25", {"score": 0.25}),
        ("7", {"score": 7.0}),
        ("(0.1, 0.9, 2)", {"score": 0.1, "score_1": 0.9, "score_2": 2.0}),
        ("[0.5]", {"score": 0.5}),
        ("__import__('numpy').float32(0.5)", {"score": 0.5}),
        ("{'a': __import__('numpy').int64(2), 'b': __import__('numpy').array(0.5)}", {"a": 2.0, "b": 0.5}),
        ("__import__('decimal').Decimal('0.5')", {"score": 0.5}),
        ("__import__('fractions').Fraction(1, 2)", {"score": 0.5}),
    ],
)
def test_scores_are_taken_in_every_form(tmp_path: Path, returned: str, scores: dict[str, float]) -> None:
    assert outcome(write_folder(tmp_path, leaving(f"return {returned}"))) == Trained(scores)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "None"),
        ("{}", "{}"),
        ("()", "()"),
        ("float('nan')", "nan as score"),
        ("{'accuracy': 1, 'loss': float('inf')}", "inf as loss"),
        ("__import__('numpy').float32('nan')", "nan as score"),
        ("10 ** 400", "inf as score"),
    ],
)
def test_no_score_is_told_with_what_was_returned_and_where(tmp_path: Path, returned: str, said: str) -> None:
    message = outcome(write_folder(tmp_path, leaving(f"return {returned}")))
    assert isinstance(message, NoScores)
    assert message.message.startswith(f"train.py, line 1: train returned {said}")


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("'very good'", "returned 'very good' (a str)"),
        ("b'1'", "returned b'1' (a bytes)"),
        ("{'accuracy': '0.9'}", "returned '0.9' (a str) as accuracy"),
        ("{'accuracy': None}", "returned None as accuracy"),
        ("{1: 0.5}", "a score named 1 (a int)"),
        ("{'': 0.5}", "a score named '' (a str)"),
        (r"{'\ud800': 0.5}", r"a score named '\ud800'"),
        ("[[0.5]]", "returned [0.5] (a list) as score"),
        ("1j", "returned 1j (a complex)"),
        ("__import__('numpy').ones(3)", "array([1., 1., 1.])"),
        ("object()", "<object object at"),
        ("{str(i): i for i in range(1001)}", "1,001 scores"),
    ],
)
def test_what_is_not_a_score_breaks_the_contract(tmp_path: Path, returned: str, said: str) -> None:
    message = breach(write_folder(tmp_path, leaving(f"return {returned}")))
    assert message.startswith("train.py, line 1: train returned ")
    assert said in message


def test_the_folder_beside_and_the_code_beside_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "values.py").write_text("SCORE = 3\n")
    train = """
        import helper, sys
        from common.values import SCORE
        def train(output):
            assert not [name for name in ("worker", "core", "training") if name in sys.modules]
            open(output + "m", "w").write(helper.TEXT)
            return SCORE
    """
    assert outcome(write_folder(tmp_path, train, helper__py="TEXT = 'x'\n")) == Trained({"score": 3.0})


def test_etls_py_trains_where_there_is_no_train_py(tmp_path: Path) -> None:
    assert outcome(write_folder(tmp_path, etls__py=leaving("return 1"))) == Trained({"score": 1.0})


def test_train_py_goes_before_etls_py(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, leaving("return 1"), etls__py="raise SystemError\n")
    assert outcome(folder) == Trained({"score": 1.0})


def test_the_entry_may_have_another_name(tmp_path: Path) -> None:
    code = leaving("return 1") + leaving("return 2").replace("train", "fit")
    assert outcome(write_folder(tmp_path, code), entry="fit") == Trained({"score": 2.0})


@pytest.mark.parametrize("does", ["os.mkdir(output + 'x')", "os.rmdir(output)"])
def test_a_function_that_leaves_nothing_breaks_the_contract(tmp_path: Path, does: str) -> None:
    message = breach(write_folder(tmp_path, f"import os\ndef train(output):\n    {does}\n    return 1\n"))
    assert message == "train.py, line 2: it left nothing in output; write the model's files to that folder"


@pytest.mark.parametrize(("count", "said"), [(2, "(m0, m1)"), (5, "(m0, m1, m2 and 2 more)")])
def test_files_in_the_wrong_place_are_told(tmp_path: Path, count: int, said: str) -> None:
    train = f"def train():\n    for n in range({count}): open(f'm{{n}}', 'w').close()\n    return 1\n"
    assert breach(write_folder(tmp_path, train)).endswith(f"folder, not to the working directory {said}")


def test_a_librarys_function_train_is_not_taken_for_the_authors(tmp_path: Path) -> None:
    own = """
        from library import train
        class Mine:
            def train(self, dataset_path): ...
            def evaluate(self, dataset_path): return 2
            def save(self, path): open(path + "m", "w").close()
            def load(self, path): ...
    """
    library = leaving("return 1")
    assert outcome(write_folder(tmp_path, own, library__py=library)) == Trained({"score": 2.0})
    imported = write_folder(tmp_path, "from library import train\nclass Other: ...\n")
    assert outcome(imported) == Trained({"score": 1.0})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def evaluate(model): return 1\n", "train.py, line 3: evaluate needs the argument 'model'; Pawl gives"),
        (
            "def evaluate(artifact): return 'x'\n",
            "train.py, line 3: evaluate returned 'x' (a str), which is not a score",
        ),
    ],
)
def test_a_wrong_evaluate_is_told(tmp_path: Path, code: str, said: str) -> None:
    folder = write_folder(tmp_path, f"def train(output):\n    return 1\n{code}")
    assert said in breach(folder, evaluate=artifact(tmp_path))


EVALUATES = """
    def train(output): return 1
    def evaluate(artifact, validation):
        return {"accuracy": float(open(artifact + "score").read()), "seen": validation == "/v.csv"}
"""


def artifact(root: Path) -> str:
    (root / "old").mkdir()
    (root / "old" / "score").write_text("0.75")
    return str(root / "old")


def test_an_older_artifact_is_judged_by_evaluate(tmp_path: Path) -> None:
    config = {"evaluate": artifact(tmp_path), "dataset": "/d.csv", "validation": "/v.csv"}
    assert outcome(write_folder(tmp_path, EVALUATES), **config) == Judged({"accuracy": 0.75, "seen": 1.0})


def test_without_validation_data_an_artifact_is_judged_on_the_dataset(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, EVALUATES)
    assert outcome(folder, evaluate=artifact(tmp_path), dataset="/v.csv") == Judged({"accuracy": 0.75, "seen": 1.0})


def test_code_that_can_not_judge_says_so(tmp_path: Path) -> None:
    message = outcome(write_folder(tmp_path, leaving("return 1")), evaluate=artifact(tmp_path))
    assert isinstance(message, CannotJudge)
    assert message.message.startswith("train.py: it has no function evaluate(artifact, validation)")
