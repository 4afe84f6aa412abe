"""Every graph here that is said to keep its rows apart is also run: together as apart, whatever the neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from tests.worker.models import FLOAT, INT64, node, one_node, save, tensor
from worker.onnx.graph.graph import read_graph
from worker.onnx.rowflow.rowflow import coupling

X = ["N", 4]
SEQUENCE = ["N", 6, 4]
IMAGE = ["N", 2, 6, 6]
ONES = np.ones(4, np.float32)


def why(path: Path) -> str | None:
    return coupling(read_graph(path))


def graph(*nodes: Any, x: Any = X, y: Any = ("N", "F"), ys: int = FLOAT, more: Any = (), **weights: Any) -> Any:
    def build(path: Path) -> Path:
        return save(path, nodes, [tensor("x", x), *more], [tensor("y", y, ys)], weights)

    return build


def one(op: str, y: Any = ("N", "F"), x: Any = X, ys: int = FLOAT, weights: Any = None, **attributes: Any) -> Any:
    return graph(node(op, ["x", *(weights or {})], ["y"], **attributes), x=x, y=y, ys=ys, **(weights or {}))


def threshold(*reduction: Any, **weights: Any) -> Any:
    """x + (any row's n > 29000), which no made-up row shows."""
    nodes = [
        *reduction,
        node("Greater", ["m", "limit"], ["c"]),
        node("Cast", ["c"], ["f"], to=FLOAT),
        node("Add", ["x", "f"], ["y"]),
    ]
    limit = np.array(29000, np.int64)
    return graph(*nodes, x=["N"], y=["N"], more=[tensor("n", ["N"], INT64)], limit=limit, **weights)


COUPLED = {
    "largest": (threshold(node("ReduceMax", ["n"], ["m"], keepdims=0)), "operator ReduceMax takes all rows together"),
    "largest by index": (
        threshold(
            node("ArgMax", ["n"], ["i"], axis=0, keepdims=1),
            node("Gather", ["n", "i"], ["m"], axis=0),
        ),
        "operator ArgMax takes all rows together",
    ),
    "largest by TopK": (
        threshold(node("TopK", ["n", "k"], ["m", "i"], axis=0), k=np.array([1])),
        "operator TopK goes along the rows",
    ),
    "sum so far": (
        threshold(node("CumSum", ["n", "zero"], ["m"]), zero=np.int64(0)),
        "operator CumSum goes along the rows",
    ),
    "the first row": (
        threshold(node("Gather", ["n", "zero"], ["m"], axis=0), zero=np.array([0])),
        "operator Gather picks rows by their place in the batch",
    ),
    "the last row": (
        threshold(node("Slice", ["n", "s", "e"], ["m"]), s=np.array([-1]), e=np.array([2**62])),
        "operator Slice picks rows by their place in the batch",
    ),
    "how many rows": (
        threshold(node("Shape", ["n"], ["m"])),
        "operator Add computes with the number of rows",
    ),
    "how many rows, as size": (
        threshold(node("Size", ["n"], ["m"])),
        "operator Add computes with the number of rows",
    ),
    "sum by matrix": (
        threshold(
            node("Shape", ["n"], ["s"]),
            node("ConstantOfShape", ["s"], ["ones"], value=helper.make_tensor("v", INT64, [1], [1])),
            node("MatMul", ["n", "ones"], ["m"]),
        ),
        "operator MatMul sums over the rows",
    ),
    "content that isn't zero": (
        graph(node("NonZero", ["x"], ["i"]), node("Cast", ["i"], ["y"], to=FLOAT)),
        "operator NonZero is not known to keep rows apart",
    ),
    "softmax over rows": (one("Softmax", axis=0), "operator Softmax goes along the rows"),
    "softmax over a vector": (one("Softmax", x=["N"], y=["N"]), "operator Softmax goes along the rows"),
    "all dropped axes": (
        one("Squeeze", x=["N", 1]),
        "operator Squeeze drops every axis of length one, so that of a lone row",
    ),
    "rows as columns": (one("Transpose"), "output y is not made row by row"),
    "rows put together": (
        one("Reshape", weights={"s": np.array([2, -1])}),
        "operator Reshape may put rows together",
    ),
    "all in one": (one("Flatten", axis=0), "operator Flatten may put rows together"),
    "rows behind rows": (graph(node("Concat", ["x", "x"], ["y"], axis=0)), "operator Concat puts rows behind rows"),
    "rows against rows": (
        graph(node("Gemm", ["x", "x"], ["g"], transB=1), node("ReduceMax", ["g"], ["y"], axes=[1], keepdims=1)),
        "operator Gemm sets rows against rows",
    ),
    "three rows by their place": (
        one("Add", weights={"w": np.ones((3, 4), np.float32)}),
        "operator Add sets each row against something else by its place in the batch",
    ),
    "a table by place": (
        graph(node("Expand", ["x", "s"], ["y"]), s=np.array([3, 4])),
        "operator Expand sets each row against something else by its place in the batch",
    ),
    "a layout that the number of rows decides": (
        graph(
            node("Shape", ["x"], ["s"]),
            node("Gather", ["s", "zero"], ["n"]),
            node("Greater", ["n", "five"], ["big"]),
            node("Where", ["big", "one", "two"], ["w"]),
            node("Concat", ["n", "w"], ["t"], axis=0),
            node("Reshape", ["x", "t"], ["y"]),
            zero=np.array([0]),
            five=np.array([5]),
            one=np.array([-1]),
            two=np.array([4]),
        ),
        "operator Reshape may put rows together",
    ),
    "a layout by half as many rows": (
        graph(
            node("Shape", ["x"], ["s"]),
            node("Gather", ["s", "front"], ["n"]),
            node("Div", ["n", "two"], ["half"]),
            node("Max", ["half", "one"], ["some"]),
            node("Concat", ["some", "minus"], ["t"], axis=0),
            node("Reshape", ["x", "t"], ["y"]),
            front=np.array([0]),
            two=np.array([2]),
            one=np.array([1]),
            minus=np.array([-1]),
        ),
        "operator Reshape may put rows together",
    ),
    "a layout by two rows at least": (
        graph(
            node("Shape", ["x"], ["s"]),
            node("Gather", ["s", "front"], ["n"]),
            node("Max", ["n", "two"], ["some"]),
            node("Concat", ["some", "minus"], ["t"], axis=0),
            node("Reshape", ["x", "t"], ["y"]),
            front=np.array([0]),
            two=np.array([2]),
            minus=np.array([-1]),
        ),
        "operator Reshape may put rows together",
    ),
    "an equation over rows": (
        graph(node("Einsum", ["x", "x"], ["g"], equation="bi,bj->ij"), node("Add", ["x", "g"], ["y"])),
        "operator Einsum sums over the rows",
    ),
    "batches as steps": (
        graph(
            node("RNN", ["x", "w", "r"], ["", "h"], hidden_size=4),
            node("Squeeze", ["h", "zero"], ["y"]),
            x=SEQUENCE,
            w=np.ones((1, 4, 4), np.float32),
            r=np.ones((1, 4, 4), np.float32),
            zero=np.array([0]),
        ),
        "operator RNN takes rows for steps, or begins each by its place in the batch",
    ),
    "another's operator": (
        graph(node("Tokenizer", ["x"], ["y"], domain="com.microsoft")),
        "operator Tokenizer is not known to keep rows apart",
    ),
    "a vector for one row": (
        one("Normalizer", x=["N"], y=["N"], norm="MAX", domain="ai.onnx.ml"),
        "operator Normalizer takes a list of numbers for a single row",
    ),
    "places in the batch": (
        graph(node("MaxPool", ["x"], ["m", "i"], kernel_shape=[2, 2]), node("Cast", ["i"], ["y"], to=FLOAT), x=IMAGE),
        "operator MaxPool tells places within the whole batch",
    ),
}


@pytest.mark.parametrize(("model", "reason"), COUPLED.values(), ids=COUPLED)
def test_rows_that_meet_are_found(tmp_path: Path, model: Any, reason: str) -> None:
    assert why(model(tmp_path / "m.onnx")) == reason


def scores(count: int, heads: int = 2) -> list[Any]:
    """Attention of a sequence to itself, its heads laid out as PyTorch does, by a shape that is computed."""
    split = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"], axis=0),
        node("Gather", ["shape", "first"], ["t"], axis=0),
        node("Unsqueeze", ["n", "front"], ["n1"]),
        node("Unsqueeze", ["t", "front"], ["t1"]),
        node("Concat", ["n1", "t1", "heads", "rest"], ["by_head"], axis=0),
        node("Concat", ["n1", "t1", "rest"], ["whole"], axis=0),
        node("Reshape", ["x", "by_head"], ["h"]),
        node("Transpose", ["h"], ["q"], perm=[0, 2, 1, 3]),
        node("Transpose", ["h"], ["k"], perm=[0, 2, 3, 1]),
    ]
    attend = [
        node("MatMul", ["q", "k"], ["scores"]),
        node("Softmax", ["scores"], ["weights"], axis=-1),
        node("MatMul", ["weights", "q"], ["mixed"]),
        node("Transpose", ["mixed"], ["back"], perm=[0, 2, 1, 3]),
        node("Reshape", ["back", "whole"], ["y"]),
    ]
    return split + attend


def recurrent() -> Any:
    """As PyTorch exports `batch_first`: time goes first, and the first state is as wide as there are rows."""
    return graph(
        node("Transpose", ["x"], ["by_time"], perm=[1, 0, 2]),
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "front"], ["n1"]),
        node("Concat", ["one", "n1", "four"], ["state_shape"], axis=0),
        node("ConstantOfShape", ["state_shape"], ["h"]),
        node("LSTM", ["by_time", "w", "r", "", "", "h", "h"], ["all", "last"], hidden_size=4),
        node("Squeeze", ["all", "first"], ["s"]),
        node("Transpose", ["s"], ["y"], perm=[1, 0, 2]),
        x=SEQUENCE,
        y=["N", 6, 4],
        w=np.full((1, 16, 4), 0.1, np.float32),
        r=np.full((1, 16, 4), 0.2, np.float32),
        zero=np.int64(0),
        front=np.array([0]),
        first=np.array([1]),
        one=np.array([1]),
        four=np.array([4]),
    )


def convolutional() -> Any:
    return graph(
        node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        node("BatchNormalization", ["c", "ones", "ones", "ones", "ones"], ["b"]),
        node("Relu", ["b"], ["r"]),
        node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Resize", ["p", "", "scales"], ["u"], mode="nearest"),
        node("GlobalAveragePool", ["u"], ["g"]),
        node("Sigmoid", ["g"], ["gate"]),
        node("Mul", ["u", "gate"], ["m"]),
        node("Flatten", ["m"], ["y"]),
        x=IMAGE,
        w=np.full((4, 2, 3, 3), 0.1, np.float32),
        ones=ONES,
        scales=np.array([1, 1, 2, 2], np.float32),
    )


def distances() -> Any:
    """To the rows of a table, one after the other, as skl2onnx makes them."""
    body = helper.make_graph(
        [
            node("Identity", ["next_in"], ["next_out"]),
            node("Sub", ["next_in", "next"], ["d"]),
            node("ReduceSumSquare", ["d"], ["scan_out"], axes=[1], keepdims=0),
        ],
        "body",
        [tensor("next_in", [None, 4]), tensor("next", [4])],
        [tensor("next_out", [None, 4]), tensor("scan_out", [None])],
    )
    return graph(
        node("Scan", ["x", "table"], ["same", "by_table"], body=body, num_scan_inputs=1),
        node("Transpose", ["by_table"], ["d"], perm=[1, 0]),
        node("TopK", ["d", "k"], ["y", "i"], axis=1, largest=0),
        table=np.arange(20, dtype=np.float32).reshape(5, 4),
        k=np.array([2]),
    )


def chosen() -> Any:
    then = helper.make_graph([node("Relu", ["x"], ["t"])], "then", [], [tensor("t", X)])
    other = helper.make_graph([node("Neg", ["x"], ["e"])], "else", [], [tensor("e", X)])
    return graph(
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "first"], ["columns"]),
        node("Equal", ["columns", "four"], ["c"]),
        node("If", ["c"], ["y"], then_branch=then, else_branch=other),
        first=np.int64(1),
        four=np.int64(4),
    )


KEPT = {
    "a row's largest": one("ReduceMax", y=["N"], axes=[1], keepdims=0),
    "a row's sum": one("ReduceSum", y=["N", 1], weights={"axes": np.array([-1])}),
    "softmax": one("Softmax", axis=-1),
    "sum along a row": one("CumSum", weights={"axis": np.int64(1)}),
    "columns": graph(node("Gather", ["x", "i"], ["y"], axis=1), i=np.array([2, 0])),
    "a slice of columns": graph(
        node("Slice", ["x", "s", "e", "a"], ["y"]), s=np.array([1]), e=np.array([3]), a=np.array([1])
    ),
    "an embedding": graph(
        node("Cast", ["x"], ["i"], to=INT64),
        node("Abs", ["i"], ["j"]),
        node("Mod", ["j", "three"], ["k"]),
        node("Gather", ["table", "k"], ["y"], axis=0),
        y=["N", 4, 2],
        three=np.int64(3),
        table=np.arange(6, dtype=np.float32).reshape(3, 2),
    ),
    "a matrix's rows apart and together again": graph(
        node("Reshape", ["x", "flat"], ["f"]),
        node("MatMul", ["f", "w"], ["m"]),
        node("Reshape", ["m", "back"], ["y"]),
        x=SEQUENCE,
        y=["N", 6, 3],
        flat=np.array([-1, 4]),
        back=np.array([-1, 6, 3]),
        w=np.arange(12, dtype=np.float32).reshape(4, 3),
    ),
    "a layout that copies the number of rows": graph(
        node("Reshape", ["x", "s"], ["y"]), x=SEQUENCE, s=np.array([0, -1])
    ),
    "a layout by one row at least": graph(
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "front"], ["n"]),
        node("Max", ["n", "one"], ["some"]),
        node("Concat", ["some", "minus"], ["t"], axis=0),
        node("Reshape", ["x", "t"], ["y"]),
        x=SEQUENCE,
        front=np.array([0]),
        one=np.array([1]),
        minus=np.array([-1]),
    ),
    "what is the same for all, widened": graph(
        node("Shape", ["x"], ["s0"]),
        node("Gather", ["s0", "front"], ["n"], axis=0),
        node("Concat", ["n", "two"], ["s"], axis=0),
        node("Expand", ["row", "s"], ["wide"]),
        node("Concat", ["x", "wide"], ["y"], axis=1),
        front=np.array([0]),
        two=np.array([2]),
        row=np.array([[1, 2]], np.float32),
    ),
    "PyTorch's expand": graph(
        node("Shape", ["x"], ["s"]),
        node("ConstantOfShape", ["length"], ["ones"], value=helper.make_tensor("v", INT64, [1], [1])),
        node("Mul", ["ones", "minus"], ["minuses"]),
        node("Equal", ["s", "minuses"], ["is_open"]),
        node("Where", ["is_open", "ones", "s"], ["t"]),
        node("Expand", ["row", "t"], ["wide"]),
        node("Add", ["x", "wide"], ["y"]),
        length=np.array([2]),
        minus=np.array(-1),
        row=np.array([[1, 2, 3, 4]], np.float32),
    ),
    "labels by number": graph(
        node("ArgMax", ["x"], ["i"], axis=1, keepdims=0),
        node("ArrayFeatureExtractor", ["labels", "i"], ["l"], domain="ai.onnx.ml"),
        node("Reshape", ["l", "flat"], ["y"]),
        y=["N"],
        labels=np.array([[5, 6, 7, 8]], np.float32),
        flat=np.array([-1]),
    ),
    "an equation": graph(
        node("Einsum", ["x", "w"], ["y"], equation="bi, ij -> bj"), w=np.arange(12, dtype=np.float32).reshape(4, 3)
    ),
    "a convolution": convolutional(),
    "a recurrence": recurrent(),
    "attention": graph(
        *scores(6),
        x=SEQUENCE,
        y=["N", 6, 4],
        zero=np.int64(0),
        first=np.int64(1),
        front=np.array([0]),
        heads=np.array([2]),
        rest=np.array([-1]),
    ),
    "distances": distances(),
    "a branch by the number of columns": chosen(),
    "weights in a table of their own": graph(
        node("Reshape", ["w", "s"], ["v"]),
        node("Softmax", ["v"], ["z"], axis=0),
        node("Gemm", ["x", "z"], ["y"], transB=1),
        w=np.arange(12, dtype=np.float32),
        s=np.array([3, 4]),
    ),
}


@pytest.mark.parametrize("model", KEPT.values(), ids=KEPT)
def test_rows_that_go_their_own_ways_are_followed(tmp_path: Path, model: Any) -> None:
    path = model(tmp_path / "m.onnx")
    assert why(path) is None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    rows = np.sin(np.arange(7 * np.prod(given.shape[1:], dtype=int), dtype=np.float32) * 3)
    rows = rows.reshape(7, *given.shape[1:]) * np.float32(3)
    [together] = session.run(None, {given.name: rows})
    for index in range(7):
        [alone] = session.run(None, {given.name: rows[index : index + 1]})
        np.testing.assert_allclose(together[index], alone[0], rtol=1e-4, atol=1e-5)


def test_a_function_of_the_model_is_followed(tmp_path: Path) -> None:
    opset = helper.make_opsetid("", 17)

    def build(*nodes: Any) -> Path:
        function = helper.make_function("my", "F", ["a"], ["b"], list(nodes), [opset])
        return save(
            tmp_path / "m.onnx",
            [node("F", ["x"], ["y"], domain="my")],
            [tensor("x", X)],
            [tensor("y", X)],
            functions=[function],
            opsets=[helper.make_opsetid("my", 1)],
        )

    assert why(build(node("Relu", ["a"], ["b"]))) is None
    largest = node("ReduceMax", ["a"], ["m"])
    assert why(build(largest, node("Sub", ["a", "m"], ["b"]))) == "operator ReduceMax takes all rows together"


def test_the_example_models_stay_merged() -> None:
    models = sorted((Path(__file__).parents[4] / "models_serve" / ".artifacts").rglob("*.onnx"))
    assert len(models) >= 3
    assert {path.name: why(path) for path in models} == {path.name: None for path in models}


def test_an_operator_of_one_node_is_told_by_its_name(tmp_path: Path) -> None:
    assert why(one_node(tmp_path / "m.onnx", "ReduceMean", axes=[0])) == "operator ReduceMean takes all rows together"
