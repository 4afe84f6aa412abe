from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.worker.models import (
    FLOAT,
    INT64,
    STRING,
    config,
    dynamic_quantized,
    minus_mean,
    mlp,
    node,
    one_node,
    save,
    strings,
    tensor,
    training_batch_normalization,
)
from worker.onnx.graph.graph import read_graph
from worker.onnx.open_file import open_file
from worker.onnx.probe import why_not_alike

FLOAT16 = 10


def forget(rows: int, seconds: float) -> None:
    pass


def why(path: Path, took: Any = forget, **options: Any) -> str | None:
    return why_not_alike(read_graph(path), open_file(path, config(), print).session, took, **options)


def test_rows_of_a_network_are_alike(tmp_path: Path) -> None:
    assert why(mlp(tmp_path / "m.onnx")) is None


def test_rows_less_their_own_mean_are_alike(tmp_path: Path) -> None:
    assert why(minus_mean(tmp_path / "m.onnx", axis=1)) is None


@pytest.mark.parametrize(
    "model",
    [
        minus_mean,
        dynamic_quantized,
        training_batch_normalization,
        lambda path: one_node(path, "Softmax", axis=0),
        lambda path: one_node(path, "CumSum", weights={"axis": np.int64(0)}),
        lambda path: one_node(path, "RandomNormalLike"),
        lambda path: one_node(path, "LpNormalization", axis=0),
    ],
    ids=["mean", "quantized", "batch normalization", "softmax", "sum so far", "random", "norm"],
)
def test_rows_that_feel_each_other_are_found(tmp_path: Path, model: Any) -> None:
    assert why(model(tmp_path / "m.onnx")) is not None


def test_the_difference_is_told_in_words(tmp_path: Path) -> None:
    assert why(minus_mean(tmp_path / "m.onnx")) == "rows together differ from rows apart (output 0, row 0)"


def faintly_coupled(path: Path) -> Path:
    """Each row, and a millionth of the mean of all."""
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        node("Mul", ["m", "faint"], ["f"]),
        node("Add", ["x", "f"], ["y"]),
    ]
    weights = {"faint": np.float32(1e-10)}
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])], weights)


def test_a_faint_coupling_is_found_by_a_poisoned_row(tmp_path: Path) -> None:
    assert str(why(faintly_coupled(tmp_path / "m.onnx"))).startswith("a row of 1e+30 changes its neighbours")


def coupled_at_times(path: Path) -> Path:
    """As it is, but for batches whose largest value lies between 50 and 1,000: to those it adds it."""
    nodes = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Greater", ["m", "low"], ["above"]),
        node("Less", ["m", "high"], ["below"]),
        node("And", ["above", "below"], ["between"]),
        node("Where", ["between", "m", "nothing"], ["more"]),
        node("Add", ["x", "more"], ["y"]),
    ]
    weights = {"low": np.float32(50), "high": np.float32(1000), "nothing": np.float32(0)}
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])], weights)


def whole_numbers_coupled(path: Path, *look: Any) -> Path:
    """Whole numbers, to which is added what `look` makes of their hundreds in other rows."""
    nodes = [node("Div", ["x", "hundred"], ["d"]), *look, node("Add", ["x", "seen"], ["y"])]
    first, end = np.array([0], np.int64), np.array([-1], np.int64)
    weights = {"hundred": np.int64(100), "first": first, "last": end, "axis": np.int64(0)}
    return save(path, nodes, [tensor("x", ["N", 4], INT64)], [tensor("y", ["N", 4], INT64)], weights)


@pytest.mark.parametrize(
    "look",
    [
        node("CumSum", ["d", "axis"], ["seen"]),
        node("ReduceMax", ["d"], ["seen"], axes=[0]),
        node("Gather", ["d", "first"], ["seen"]),
        node("Gather", ["d", "last"], ["seen"]),
    ],
    ids=["sum so far", "maximum", "first row", "last row"],
)
def test_whole_numbers_felt_by_other_rows_are_found(tmp_path: Path, look: Any) -> None:
    said = why(whole_numbers_coupled(tmp_path / "m.onnx", look))
    assert str(said).startswith("a row of 1000 changes its neighbours")


def test_a_large_row_felt_by_small_ones_is_found(tmp_path: Path) -> None:
    assert why(coupled_at_times(tmp_path / "m.onnx")) == "rows together differ from rows apart (output 0, row 0)"


def test_one_row_in_must_be_one_row_out(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Transpose", ["x"], ["y"], perm=[1, 0])],
        [tensor("x", ["N", 4])],
        [tensor("y", ["M", "K"])],
    )
    assert why(path) == "one row in does not give one row out"


def test_words_that_the_model_knows_are_tried(tmp_path: Path) -> None:
    assert why(strings(tmp_path / "m.onnx")) is None


def test_text_goes_through(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("LabelEncoder", ["x"], ["y"], keys_strings=["a"], values_int64s=[7], domain="ai.onnx.ml")],
        [tensor("x", ["N", 2], STRING)],
        [tensor("y", ["N", 2], INT64)],
    )
    assert why(path) is None


def embedding(path: Path, index: int = INT64) -> Path:
    nodes = [node("Cast", ["x"], ["i"], to=INT64), node("Gather", ["table", "i"], ["y"])]
    weights = {"table": np.arange(6, dtype=np.float32).reshape(2, 3)}
    return save(path, nodes, [tensor("x", ["N"], index)], [tensor("y", ["N", 3])], weights)


def test_whole_numbers_stay_within_a_small_table(tmp_path: Path) -> None:
    assert why(embedding(tmp_path / "m.onnx")) is None


def test_floats_that_are_looked_up_get_gentle_rows(tmp_path: Path) -> None:
    assert why(embedding(tmp_path / "m.onnx", FLOAT)) is None


def test_half_precision_is_judged_more_coarsely(tmp_path: Path) -> None:
    weights = {"w": np.sin(np.arange(64 * 64)).reshape(64, 64).astype(np.float16)}
    path = save(
        tmp_path / "m.onnx",
        [node("MatMul", ["x", "w"], ["y"])],
        [tensor("x", ["N", 64], FLOAT16)],
        [tensor("y", ["N", 64], FLOAT16)],
        weights,
    )
    assert why(path) is None


def test_images_of_any_size_get_one_that_is_large_enough(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("MaxPool", ["x"], ["y"], kernel_shape=[16, 16], strides=[16, 16])],
        [tensor("x", ["N", 1, "H", "W"])],
        [tensor("y", ["N", 1, "h", "w"])],
    )
    assert why(path) is None


def test_a_dimension_of_minus_one_is_one_of_any_size(tmp_path: Path) -> None:
    """As some exporters write those that they leave open."""
    path = save(tmp_path / "m.onnx", [node("Relu", ["x"], ["y"])], [tensor("x", ["N", -1])], [tensor("y", ["N", -1])])
    assert why(path) is None


def test_several_inputs_are_made_up_apart(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Sub", ["a", "b"], ["d"]), node("Add", ["d", "c"], ["y"])],
        [tensor("a", ["N", 2]), tensor("b", ["N", 2]), tensor("c", ["N", 1])],
        [tensor("y", ["N", 2])],
    )
    assert why(path) is None


def test_a_model_that_refuses_every_row_is_not_merged(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Reshape", ["x", "shape"], ["y"])],
        [tensor("x", ["N", "F"])],
        [tensor("y", ["N", 7])],
        {"shape": np.array([-1, 7])},
    )
    assert str(why(path)).startswith("it refused every made-up row: ")


def test_it_takes_few_runs_and_tells_how_long_they_took(tmp_path: Path) -> None:
    runs: list[tuple[int, float]] = []
    assert why(mlp(tmp_path / "m.onnx"), lambda rows, seconds: runs.append((rows, seconds))) is None
    assert len(runs) <= 8
    assert max(rows for rows, _ in runs) <= 4
    assert all(seconds >= 0 for _, seconds in runs)


def test_it_gives_up_when_its_time_is_over(tmp_path: Path) -> None:
    seconds = map(float, itertools.count())  # a second passes whenever it is read
    assert why(mlp(tmp_path / "m.onnx"), clock=lambda: next(seconds)) == "trying it took longer than 2 s"


def test_it_leaves_nothing_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    why(embedding(tmp_path / "m.onnx", FLOAT))
    assert capfd.readouterr().err == ""
