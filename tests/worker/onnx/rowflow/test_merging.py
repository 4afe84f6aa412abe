from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.worker.models import (
    INT64,
    Shape,
    dynamic_quantized,
    minus_mean,
    mlp,
    node,
    one_node,
    save,
    strings,
    tensor,
    training_batch_normalization,
    zip_map,
)
from worker.onnx.graph.graph import read_graph
from worker.onnx.rowflow.merging import why_not_merge

BOOL = 9


def why(path: Path) -> str | None:
    return why_not_merge(read_graph(path))


@pytest.mark.parametrize("model", [mlp, strings, lambda path: minus_mean(path, axis=1)])
def test_a_graph_without_known_coupling_is_left_to_the_probe(tmp_path: Path, model: Any) -> None:
    assert why(model(tmp_path / "m.onnx")) is None


def test_rows_that_meet_are_refused_whatever_a_probe_would_see(tmp_path: Path) -> None:
    assert why(minus_mean(tmp_path / "m.onnx", axis=0)) == "operator ReduceMean takes all rows together"


def identity(path: Path, input: Shape | None, output: Shape | None) -> Path:
    return save(path, [node("Identity", ["x"], ["y"])], [tensor("x", input)], [tensor("y", output)])


@pytest.mark.parametrize(
    ("input", "output", "reason"),
    [
        ([1, 4], ["N", 4], "input x has a first dimension fixed to 1; export with a dynamic batch dimension"),
        (["N", 4], [1, 4], "output y has a first dimension fixed to 1; export with a dynamic batch dimension"),
        ([], ["N"], "input x is a scalar: it has no rows"),
        (None, ["N"], "input x has no declared shape"),
        (["N", "N"], ["N", 4], "another dimension of x depends on the number of rows (N)"),
        (["N", 4], ["N", "N"], "another dimension of y depends on the number of rows (N)"),
    ],
)
def test_a_signature_without_rows_is_refused(tmp_path: Path, input: Any, output: Any, reason: str) -> None:
    assert why(identity(tmp_path / "m.onnx", input, output)) == reason


def test_sequences_are_refused_with_advice(tmp_path: Path) -> None:
    assert why(zip_map(tmp_path / "m.onnx")) == "output y is a sequence; export with zipmap=False to get tensors"


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("RandomNormal", [], ["y"], shape=[1])], [], [tensor("y", ["N"])])
    assert why(path) == "it has no inputs"


@pytest.mark.parametrize(
    ("model", "operator"),
    [
        (dynamic_quantized, "DynamicQuantizeLinear"),
        (training_batch_normalization, "BatchNormalization"),
        (lambda path: one_node(path, "RandomNormalLike"), "RandomNormalLike"),
        (lambda path: one_node(path, "Bernoulli"), "Bernoulli"),
        (lambda path: one_node(path, "Multinomial"), "Multinomial"),
        (lambda path: one_node(path, "Unique"), "Unique"),
        (lambda path: one_node(path, "MeanVarianceNormalization"), "MeanVarianceNormalization"),
        (lambda path: one_node(path, "MeanVarianceNormalization", axes=[0]), "MeanVarianceNormalization"),
        (lambda path: one_node(path, "LayerNormalization", axis=0), "LayerNormalization"),
        (lambda path: one_node(path, "DynamicQuantizeMatMul", domain="com.microsoft"), "DynamicQuantizeMatMul"),
        (lambda path: one_node(path, "DynamicQuantizeLSTM", domain="com.microsoft"), "DynamicQuantizeLSTM"),
        (
            lambda path: one_node(path, "Dropout", weights={"ratio": np.float32(0.5), "training_mode": np.bool_(True)}),
            "Dropout",
        ),
    ],
)
def test_operators_known_to_couple_rows_are_refused(tmp_path: Path, model: Any, operator: str) -> None:
    assert f"operator {operator} " in str(why(model(tmp_path / "m.onnx")))


@pytest.mark.parametrize(
    "model",
    [
        lambda path: one_node(path, "MeanVarianceNormalization", axes=[1]),
        lambda path: one_node(path, "LayerNormalization"),
        lambda path: one_node(path, "Dropout"),
        lambda path: one_node(path, "Dropout", weights={"ratio": np.float32(0.5)}),
        lambda path: one_node(path, "BatchNormalization"),
    ],
)
def test_their_harmless_forms_are_not(tmp_path: Path, model: Any) -> None:
    assert why(model(tmp_path / "m.onnx")) is None


def test_an_operator_in_a_function_of_the_model_is_found(tmp_path: Path) -> None:
    opset = helper.make_opsetid("", 17)
    function = helper.make_function("my", "Noise", ["a"], ["b"], [node("RandomNormalLike", ["a"], ["b"])], [opset])
    path = save(
        tmp_path / "m.onnx",
        [node("Noise", ["x"], ["y"], domain="my")],
        [tensor("x", ["N"])],
        [tensor("y", ["N"])],
        functions=[function],
        opsets=[helper.make_opsetid("my", 1)],
    )
    assert why(path) == "operator RandomNormalLike is random"


def conditional(path: Path, condition: list[Any]) -> Path:
    then = helper.make_graph([node("Identity", ["x"], ["t"])], "then", [], [tensor("t", ["N", 4])])
    other = helper.make_graph([node("Neg", ["x"], ["e"])], "else", [], [tensor("e", ["N", 4])])
    nodes = [*condition, node("If", ["c"], ["y"], then_branch=then, else_branch=other)]
    weights = {"limit": np.float32(3), "four": np.int64(4), "one": np.array([1])}
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])], weights)


def test_a_branch_chosen_by_content_is_refused(tmp_path: Path) -> None:
    condition = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Greater", ["m", "limit"], ["c"]),
    ]
    reason = "operator If has one condition for all rows, and their content decides it"
    assert why(conditional(tmp_path / "m.onnx", condition)) == reason


def test_a_branch_chosen_by_shape_is_left_to_the_probe(tmp_path: Path) -> None:
    condition = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "one"], ["columns"]),
        node("Equal", ["columns", "four"], ["c"]),
    ]
    assert why(conditional(tmp_path / "m.onnx", condition)) is None


def loop(path: Path, body: list[Any], condition: str) -> Path:
    carried = [tensor("before", ["N", 4])]
    counters = [helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("go", BOOL, [])]
    outputs = [helper.make_tensor_value_info(condition, BOOL, []), tensor("after", ["N", 4])]
    inner = helper.make_graph([node("Neg", ["before"], ["after"]), *body], "body", counters + carried, outputs)
    nodes = [node("Loop", ["times", "", "x"], ["y"], body=inner)]
    weights = {"times": np.int64(3), "limit": np.float32(3)}
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])], weights)


def test_a_loop_that_content_ends_is_refused(tmp_path: Path) -> None:
    body = [node("ReduceMax", ["after"], ["m"], keepdims=0), node("Less", ["m", "limit"], ["on"])]
    reason = "operator Loop runs for all rows until their content ends it"
    assert why(loop(tmp_path / "m.onnx", body, "on")) == reason


def test_a_loop_of_a_fixed_number_is_left_to_the_probe(tmp_path: Path) -> None:
    assert why(loop(tmp_path / "m.onnx", [node("Identity", ["go"], ["on"])], "on")) is None
