from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.onnx.test_batch_wait import doubling
from tests.worker.processes import starting, write_model
from worker.wire.messages import Noticed


def test_a_single_onnx_file_is_served_by_its_own_signature(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, None, any__onnx=doubling())) as worker:
        description = worker.ready()
        assert (description.takes, description.concurrent) == ("onnx", True)
        assert description.variables_schema is not None
        assert list(description.variables_schema["properties"]) == ["x"]
        assert [each.session for each in description.sessions] == ["any"]
        assert worker.ask({"variables": {"x": [2]}}) == (200, {"y": [4.0]})
        status, answer = worker.ask({"variables": [{"x": [1]}, {"x": ["no"]}]})
        assert (status, answer["error"]["code"], answer["error"]["index"]) == (422, "invalid_variables", 1)


def test_sessions_are_opened_only_for_a_constructor_that_asks(tmp_path: Path) -> None:
    etls = "class A:\n    def transform_predict(self): return {}\n"
    with starting(write_model(tmp_path, etls, broken__onnx=b"no model")) as worker:
        assert worker.ready().sessions == ()


def test_an_onnx_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    etls = "class A:\n    def __init__(self, onnx): ...\n    def transform_predict(self): return {}\n"
    with starting(write_model(tmp_path, etls, broken__onnx=b"no model")) as worker:
        failure = worker.failed()
        assert "broken.onnx" in failure.message
        assert not failure.heals


@pytest.mark.parametrize(
    ("doc", "told"),
    [
        ("['a', 'list']", ""),
        ("7", ""),
        ("b'bytes'", ""),
        ("type('Text', (str,), {})('text')", "text"),
        (r"'half \ud800 a character'", "half ? a character"),
        ("'x' * 30_000_000", "x" * 10_000 + "…"),
    ],
)
def test_a_class_is_served_whatever_its_docstring_is(tmp_path: Path, doc: str, told: str) -> None:
    etls = f"class A:\n    def transform_predict(self): return {{}}\nA.__doc__ = {doc}\n"
    with starting(write_model(tmp_path, etls)) as worker:
        assert worker.ready().doc == told
        assert worker.ask() == (200, {})


def test_a_class_is_served_though_its_types_are_too_long_to_describe(tmp_path: Path) -> None:
    etls = """
from dataclasses import dataclass
from typing import Literal

@dataclass
class In:
    a: Literal[tuple(f"value {number}" for number in range(100_000))] = "value 1"

class A:
    def transform_predict(self, variables: In):
        return {"a": variables.a}
"""
    with starting(write_model(tmp_path, etls)) as worker:
        ready = worker.ready()
        assert (ready.takes, ready.variables_schema) == ("typed", None)
        assert worker.ask(b'{"variables": {"a": "value 2"}}') == (200, {"a": "value 2"})


def test_a_file_that_is_nearly_called_right_is_told_of(tmp_path: Path) -> None:
    etls = "class A:\n    def transform_predict(self): return {}\n"
    folder = write_model(tmp_path, etls, model__yml="serve: {replicas: 2}", Examples__json="[]", requirements__txt="")
    (folder / "Requirements.txt").touch()
    with starting(folder) as worker:
        worker.ready()
        told = [worker.hear(), worker.hear()]
        assert told == [
            Noticed("Examples.json is not read; its name is examples.json"),
            Noticed("model.yml is not read; its name is model.yaml"),
        ]
