"""Whether calls of a model may be merged, judged from its graph alone.

Merged calls must answer as they would apart, so no row may see another. What is known to let it is refused here in its
own words, and all else unless the rows can be followed through the graph, each on its own way. The probe comes after.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph.control_flow import control_problem
from ..graph.graph import Graph, Node, Value
from .rowflow import coupling

_MS = "com.microsoft"

_COUPLING: dict[tuple[str, str], str] = {
    ("", "DynamicQuantizeLinear"): "takes its scale from all rows together",
    ("", "Unique"): "compares all rows",
    ("", "NonMaxSuppression"): "numbers the rows and returns any number of boxes",
    (_MS, "DynamicQuantizeMatMul"): "takes its scale from all rows together",
    (_MS, "DynamicQuantizeLSTM"): "takes its scale from all rows together",
    (_MS, "BeamSearch"): "runs until the longest row is done",
    (_MS, "GreedySearch"): "runs until the longest row is done",
    (_MS, "Sampling"): "is random",
    (_MS, "WhisperBeamSearch"): "runs until the longest row is done",
}
"""Operators that couple rows whatever their attributes; their own pages in https://onnx.ai/onnx/operators/ and
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md say how."""

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)


def why_not_merge(graph: Graph) -> str | None:
    """The reason, in words, why calls of this model may not be merged; None where its graph shows none."""
    checks = (
        _signature_problem(graph),
        *map(_operator_problem, graph.walk()),
        *(control_problem(each, {value.name for value in each.inputs}) for each in (graph, *graph.functions.values())),
    )
    return next(filter(None, checks), None) or coupling(graph)


def _signature_problem(graph: Graph) -> str | None:
    if not graph.inputs:
        return "it has no inputs"
    for role, values in (("input", graph.inputs), ("output", graph.outputs)):
        for value in values:
            if problem := _value_problem(value):
                return f"{role} {value.name} {problem}"
    return _repeated_symbol_problem(graph)


def _value_problem(value: Value) -> str | None:
    if value.kind in ("sequence", "map"):
        return f"is a {value.kind}; export with zipmap=False to get tensors"
    if value.kind != "tensor":
        return f"is not a tensor but {value.kind}"
    if value.shape is None:
        return "has no declared shape"
    if not value.shape:
        return "is a scalar: it has no rows"
    if isinstance(value.shape[0], int):
        return f"has a first dimension fixed to {value.shape[0]}; export with a dynamic batch dimension"
    return None


def _repeated_symbol_problem(graph: Graph) -> str | None:
    """A matrix of rows against rows has as many columns as there are rows."""
    shapes = [(value, value.shape or ()) for value in graph.inputs + graph.outputs]
    rows = {shape[0] for _, shape in shapes if isinstance(shape[0], str)}
    for value, shape in shapes:
        for size in shape[1:]:
            if size in rows:
                return f"another dimension of {value.name} depends on the number of rows ({size})"
    return None


def _operator_problem(node: Node) -> str | None:
    if reason := _COUPLING.get((node.domain, node.op)):
        return f"operator {node.op} {reason}"
    if node.op in _RANDOM:
        return f"operator {node.op} is random"
    check = _CONDITIONAL.get((node.domain, node.op))
    if check and (reason := check(node)):
        return f"operator {node.op} {reason}"
    return None


def _batch_normalization(node: Node) -> str | None:
    # Before opset 14 it was the number of outputs that said "training".
    training = node.integers.get("training_mode", (0,)) != (0,) or len(node.outputs) > 1
    return "runs in training mode and takes its statistics from all rows" if training else None


def _mean_variance(node: Node) -> str | None:
    axes = node.integers.get("axes", (0, 2, 3))
    return "takes its statistics from all rows (axis 0)" if 0 in axes else None


def _layer_normalization(node: Node) -> str | None:
    return "takes its statistics from all rows (axis 0)" if node.integers.get("axis", (-1,)) == (0,) else None


def _dropout(node: Node) -> str | None:
    training = len(node.inputs) > 2 and node.inputs[2]
    return "may be in training mode (it has the input training_mode), and then is random" if training else None


_CONDITIONAL: dict[tuple[str, str], Callable[[Node], str | None]] = {
    ("", "BatchNormalization"): _batch_normalization,
    ("", "MeanVarianceNormalization"): _mean_variance,
    ("", "LayerNormalization"): _layer_normalization,
    ("", "Dropout"): _dropout,
}
