from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from core.manifest.train import Train
from loader.files.code_key import CodeIds, code_key

FILES = {"train.py": "1", "etls.py": "2", "data/train.csv": "3", "model.yaml": "4"}


def key(
    files: Mapping[str, str] = FILES,
    *,
    model: str = "Iris",
    uses: Mapping[str, str] = {},
    requirements: str | None = None,
    train: Mapping[str, Any] | None = None,
) -> str:
    return code_key(model, CodeIds(files, uses, requirements), None if train is None else msgspec.convert(train, Train))


@pytest.mark.parametrize("path", ["examples.json", "README.md", "notes/today.md", "etls.py", "model.yaml"])
def test_what_shapes_no_result_changes_nothing(path: str) -> None:
    assert key({**FILES, path: "new"}) == key()


@pytest.mark.parametrize("path", ["train.py", "data/train.csv", "new.py", "data/examples.json", "requirements.txt"])
def test_what_may_shape_the_result_makes_another_key(path: str) -> None:
    assert key({**FILES, path: "new"}) != key()


def test_a_class_with_both_halves_counts_where_there_is_no_train_py() -> None:
    both = {"etls.py": "2"}
    assert key(both) != key({"etls.py": "new"})


def test_the_name_the_shared_folders_and_the_requirements_count() -> None:
    keys = [key(), key(model="Churn"), key(uses={"common": "a"}), key(uses={"common": "b"}), key(requirements="r")]
    assert len(set(keys)) == 5


def test_requirements_of_its_own_hide_those_of_all() -> None:
    own = {**FILES, "requirements.txt": "own"}
    assert key(own, requirements="r") == key(own)
    assert key(own) == key(requirements="own")


def test_of_the_train_section_only_what_shapes_the_result_counts() -> None:
    assert key(train={"timeout_s": 5, "retries": 3, "target": {"min": 0.5}}) == key()
    assert key(train={"params": {"depth": 6}}) != key()
    assert key(train={"params": {"depth": 6}}) != key(train={"model_params": {"depth": 6}})
    assert key(train={"direction": "minimize"}) != key()


def test_a_default_that_is_written_down_is_still_the_default() -> None:
    assert key(train={"params": {}, "workers": 1, "direction": "maximize", "search": None}) == key(train={}) == key()


def test_order_does_not_count_and_names_need_not_be_utf8() -> None:
    assert key({"b": "1", "a": "2", "\udcff": "3"}) == key({"\udcff": "3", "a": "2", "b": "1"})
