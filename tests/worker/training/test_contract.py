"""Breaches of the contract by a folder's training code: each is told with file, line and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.worker.training.children import breach, write_folder

FITS = "\n\ndef train(output, depth, seed=0, *, rate=0.1): return 1\n"


@pytest.mark.parametrize(
    ("code", "config", "said"),
    [
        (FITS, {}, "train.py, line 3: train needs the argument 'depth'; Pawl gives dataset, "),
        (FITS, {"params": {"depht": 3, "depth": 1}}, "train.py, line 3: train takes no argument 'depht', which "),
        (FITS, {"params": {"depht": 3, "depth": 1}}, "it takes output, depth, seed, rate: is 'depth' meant?"),
        (FITS, {"params": {"output": "/x", "depth": 1}}, "model.yaml: train.params has 'output', which is given by"),
        ("def train(data, output): return 1\n", {}, "needs the argument 'data'; is 'dataset' meant? "),
        ("async def train(output): return 1\n", {}, "train.py, line 1: train is a coroutine; it must be a plain"),
        ("def train(output): yield 1\n", {}, "train.py, line 1: train is a generator; it must be a plain"),
        ("train = 3\n", {}, "train.py: train is a int; it must be a function or a class"),
        ("def fit(): ...\n", {}, "train.py: it has neither a function train nor a class with a method train; it"),
        ("def fit(): ...\n", {}, "it defines fit (train.py, line 1)"),
        ("", {}, "it defines no function and no class"),
        (
            "def fit(): ...\n",
            {"entry": "go"},
            "train.py: it has no 'go', which train.entry in model.yaml names; it ",
        ),
        (
            "class A:\n    def train(self): ...\nclass B(A): ...\n",
            {},
            "train.py: several classes have a method train: A (train.py, line 1), B (train.py, line 3); name the one",
        ),
    ],
)
def test_a_breach_is_told(tmp_path: Path, code: str, config: dict[str, Any], said: str) -> None:
    assert said in breach(write_folder(tmp_path, code), **config)


@pytest.mark.parametrize("name", ["train", "evaluate", "save", "load"])
@pytest.mark.parametrize(
    ("method", "what"),
    [("async def {}(self, given): pass", "a coroutine"), ("def {}(self, given): yield", "a generator")],
)
def test_a_method_that_calling_does_not_run_is_told(tmp_path: Path, name: str, method: str, what: str) -> None:
    plain = [f"    def {each}(self, given): pass\n" for each in ("train", "evaluate", "save", "load") if each != name]
    code = f"class Model:\n    {method.format(name)}\n{''.join(plain)}"
    assert (
        breach(write_folder(tmp_path, code)) == f"train.py, line 2: Model.{name} is {what}; it must be a plain method"
    )


def test_a_folder_without_training_code_is_told_so(tmp_path: Path) -> None:
    assert breach(write_folder(tmp_path, helper__py="")).startswith("the folder has neither a train.py nor an etls.py")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("report('first')", "train.py, line 2: report was given 'first' (a str) as step; it takes a number"),
        ("report(1, loss=[1])", "train.py, line 2: report was given [1] (a list) as loss; it takes a number"),
        ("report(float('nan'))", "train.py, line 2: report was given nan as step; it takes a finite number"),
        ("report(1, None, **{'a' * 201: 1})", "train.py, line 2: report was given a score named 'aaa"),
        ("report(1, None, **{str(i): 1 for i in range(101)})", "train.py, line 2: report was given 101 scores"),
    ],
)
def test_a_wrong_report_is_told_with_the_line_that_made_it(tmp_path: Path, call: str, said: str) -> None:
    assert breach(write_folder(tmp_path, f"def train(output, report):\n    {call}\n    return 1\n")).startswith(said)
