from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from tests.worker.models import mlp, node, save, strings, tensor, zip_map
from worker.errors import LoadFailed
from worker.onnx.graph.graph import Graph, Value, read_graph


def test_operators_come_in_order_with_what_they_read_and_make(tmp_path: Path) -> None:
    graph = read_graph(mlp(tmp_path / "m.onnx"))
    assert [each.op for each in graph.nodes] == ["Gemm", "Relu", "MatMul", "Softmax", "ArgMax"]
    assert (graph.nodes[0].inputs, graph.nodes[0].outputs) == (("x", "w1", "b1"), ("h",))
    assert graph.nodes[3].integers == {"axis": (1,)}


def test_inputs_and_outputs_have_their_shapes(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Identity", ["a"], ["c"]), node("Identity", ["b"], ["d"])],
        [tensor("a", ["N", 3, None]), tensor("b", None)],
        [tensor("c", ["N", 3, "T"]), tensor("d", [])],
    )
    graph = read_graph(path)
    assert graph.inputs == (Value("a", "tensor", ("N", 3, None)), Value("b", "tensor", None))
    assert graph.outputs == (Value("c", "tensor", ("N", 3, "T")), Value("d", "tensor", ()))


def test_initializers_are_no_inputs(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Add", ["x", "w"], ["y"])],
        [tensor("x", ["N"]), tensor("w", [1])],
        [tensor("y", ["N"])],
        {"w": np.ones(1, np.float32)},
    )
    assert [each.name for each in read_graph(path).inputs] == ["x"]


def test_sequences_are_told_from_tensors(tmp_path: Path) -> None:
    assert read_graph(zip_map(tmp_path / "m.onnx")).outputs == (Value("y", "sequence", None),)


def test_an_encoders_words_are_read(tmp_path: Path) -> None:
    [encoder] = read_graph(strings(tmp_path / "m.onnx")).nodes
    assert (encoder.domain, encoder.strings) == ("ai.onnx.ml", ("Bonn", "Rome"))


def test_long_lists_that_nobody_wants_are_not_read(tmp_path: Path) -> None:
    many = 100_000
    lists = {"nodes_truenodeids": [1] * many, "nodes_values": [0.5] * many, "nodes_modes": ["LEAF"] * many}
    path = save(
        tmp_path / "m.onnx",
        [node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **lists)],
        [tensor("x", ["N", 4])],
        [tensor("y", ["N", 1])],
    )
    content = path.read_bytes()
    for element in (b"\x40\x01", b"\x4a\x04LEAF"):  # fields 8 and 9 of AttributeProto
        rest = element * (many - 1)
        assert element + rest in content
        # Whoever reads on behind the first finds no number.
        content = content.replace(element + rest, element + b"\xff" * len(rest))
    path.write_bytes(content)
    assert read_graph(path).nodes[0].integers == {}


def branches() -> Any:
    inner = helper.make_graph([node("RandomNormalLike", ["x"], ["r"])], "then", [], [tensor("r", ["N"])])
    other = helper.make_graph([node("Identity", ["x"], ["i"])], "else", [], [tensor("i", ["N"])])
    return node("If", ["c"], ["y"], then_branch=inner, else_branch=other)


def test_subgraphs_are_walked(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [branches()], [tensor("x", ["N"]), tensor("c", [], 9)], [tensor("y", ["N"])])
    assert {each.op for each in read_graph(path).walk()} == {"If", "RandomNormalLike", "Identity"}


def test_the_models_own_functions_are_walked(tmp_path: Path) -> None:
    opset = helper.make_opsetid("", 17)
    function = helper.make_function("my", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [opset])
    path = save(
        tmp_path / "m.onnx",
        [node("Twice", ["x"], ["y"], domain="my")],
        [tensor("x", ["N"])],
        [tensor("y", ["N"])],
        functions=[function],
        opsets=[helper.make_opsetid("my", 1)],
    )
    graph = read_graph(path)
    assert list(graph.functions) == [("my", "Twice")]
    assert [each.op for each in graph.walk()] == ["Twice", "Add"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "m.onnx is empty"),
        (b"<html>not found</html>", "m.onnx is not an ONNX model"),
        (b"\x08\x08", "m.onnx is not an ONNX model"),
        (b"\x80" * 100, "m.onnx is not an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n", "m.onnx is a Git LFS pointer"),
    ],
)
def test_what_is_no_model_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(LoadFailed, match=message):
        read_graph(path)


def test_a_truncated_model_is_named(tmp_path: Path) -> None:
    path = mlp(tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LoadFailed, match="not an ONNX model"):
        read_graph(path)


@settings(max_examples=300)
@given(content=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with contextlib.suppress(LoadFailed):
        assert isinstance(read_graph(path), Graph)


@settings(max_examples=300)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_model_is_read_or_refused(tmp_path: Path, at: int, byte: int) -> None:
    content = bytearray(mlp(tmp_path / "m.onnx").read_bytes())
    content[at % len(content)] = byte
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with contextlib.suppress(LoadFailed):
        assert isinstance(read_graph(path), Graph)


def test_it_reads_what_the_onnx_package_reads(tmp_path: Path) -> None:
    path = mlp(tmp_path / "m.onnx")
    model = onnx.load(path)
    graph = read_graph(path)
    assert [(each.op, each.inputs, each.outputs) for each in graph.nodes] == [
        (each.op_type, tuple(each.input), tuple(each.output)) for each in model.graph.node
    ]
