"""ONNX models to test with, built here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from worker.wire.messages import WorkerConfig

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING

Shape = Sequence[int | str | None]


def config(**changes: Any) -> WorkerConfig:
    return WorkerConfig(model="M", folder="/", root="/", socket="", max_body=1, **{"device": "cpu", **changes})


def tensor(name: str, shape: Shape | None, type: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, type, shape)


def save(
    path: Path,
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    weights: dict[str, Any] | None = None,
    **options: Any,
) -> Path:
    """Opset 17, and those of the other domains."""
    values = [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, values)
    opsets = [
        helper.make_opsetid("", 17),
        helper.make_opsetid("ai.onnx.ml", 3),
        helper.make_opsetid("com.microsoft", 1),
    ]
    model = helper.make_model(graph, opset_imports=opsets + options.pop("opsets", []), ir_version=8, **options)
    onnx.save(model, path)
    return path


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    return helper.make_node(op, inputs, outputs, **attributes)


def mlp(path: Path, *, features: int = 4, classes: int = 3) -> Path:
    """Two layers, row by row; outputs probabilities and labels."""
    made = np.sin(np.arange(1000, dtype=np.float32))
    weights = {
        "w1": made[: features * 8].reshape(features, 8),
        "b1": made[:8],
        "w2": made[-8 * classes :].reshape(8, classes),
    }
    nodes = [
        node("Gemm", ["x", "w1", "b1"], ["h"]),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "w2"], ["logits"]),
        node("Softmax", ["logits"], ["p"], axis=1),
        node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
    ]
    return save(
        path,
        nodes,
        [tensor("x", ["N", features])],
        [tensor("p", ["N", classes]), tensor("label", ["N"], INT64)],
        weights,
    )


def one_node(
    path: Path, op: str, *, output: Shape = ("N", 4), weights: dict[str, Any] | None = None, **attributes: Any
) -> Path:
    """A single operator on `x` of shape [N, 4]; `weights` are its further inputs."""
    inputs = ["x", *(weights or {})]
    return save(path, [node(op, inputs, ["y"], **attributes)], [tensor("x", ["N", 4])], [tensor("y", output)], weights)


def minus_mean(path: Path, axis: int = 0) -> Path:
    """Each row less the mean: of all rows for axis 0, of its own for axis 1."""
    nodes = [node("ReduceMean", ["x"], ["m"], axes=[axis], keepdims=1), node("Sub", ["x", "m"], ["y"])]
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])])


def dynamic_quantized(path: Path) -> Path:
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])])


def training_batch_normalization(path: Path) -> Path:
    ones = np.ones(4, np.float32)
    nodes = [node("BatchNormalization", ["x", "scale", "b", "mean", "var"], ["y", "m", "v"], training_mode=1)]
    weights = {"scale": ones, "b": ones, "mean": ones, "var": ones}
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])], weights)


def strings(path: Path) -> Path:
    """A category's number; an unknown one is an error (zeros=0)."""
    nodes = [node("OneHotEncoder", ["city"], ["y"], cats_strings=["Bonn", "Rome"], zeros=0, domain="ai.onnx.ml")]
    return save(path, nodes, [tensor("city", ["N"], STRING)], [tensor("y", ["N", 2])])


def zip_map(path: Path) -> Path:
    """Probabilities as a sequence of maps, as skl2onnx makes them unless told otherwise."""
    nodes = [node("ZipMap", ["x"], ["y"], classlabels_int64s=[0, 1, 2, 3], domain="ai.onnx.ml")]
    row = helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, []))
    output = helper.make_value_info("y", helper.make_sequence_type_proto(row))
    return save(path, nodes, [tensor("x", ["N", 4])], [output])
