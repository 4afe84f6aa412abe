"""The two ONNX files that everything is measured with, made here: nobody's download, the same for everyone."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from bench.machine.home import HOME

_OPSET, _ML_OPSET, _IR = 17, 3, 8
"""Old enough for every peer's ONNX Runtime."""
_TREES, _DEPTH = 100, 5
_LAYERS = (784, 2048, 2048, 10)

Rows = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Model:
    """An ONNX file with an input `X` of `width` features a row, and an output `probabilities`."""

    name: str
    title: str
    width: int
    make: Callable[[], onnx.ModelProto]

    @property
    def path(self) -> Path:
        """The file, made if it isn't there yet."""
        path = HOME / "models" / f"{self.name}.onnx"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            onnx.save(self.make(), path)
        return path

    @functools.cached_property
    def session(self) -> Any:
        """An ONNX Runtime session with one thread."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])

    def rows(self, count: int) -> Rows:
        """Different rows, the same in every run; few digits, as measured things have."""
        return np.random.default_rng(count).random((count, self.width)).round(4).astype(np.float32)

    def answers(self, rows: Rows) -> Rows:
        """What ONNX Runtime itself says of them."""
        [probabilities] = self.session.run(["probabilities"], {"X": rows})
        return np.asarray(probabilities)


def _trees() -> onnx.ModelProto:
    """A gradient-boosted classifier of two classes, as a converter from scikit-learn writes it."""
    forest: dict[str, Any] = _forest(np.random.default_rng(1))
    label = helper.make_tensor_value_info("label", TensorProto.INT64, ["N"])
    node = helper.make_node(
        "TreeEnsembleClassifier",
        ["X"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        classlabels_int64s=[0, 1],
        post_transform="LOGISTIC",
        base_values=[-0.1],
        **forest,
    )
    return assemble([node], 30, 2, [], label)


def _forest(random: np.random.Generator) -> dict[str, list[Any]]:
    """Full trees: the nodes of each are numbered in the order of a heap, its leaves last."""
    inner, leaves = 2**_DEPTH - 1, 2**_DEPTH
    nodes, trees = inner + leaves, range(_TREES)
    is_leaf = ([False] * inner + [True] * leaves) * _TREES
    return {
        "nodes_treeids": [tree for tree in trees for _ in range(nodes)],
        "nodes_nodeids": list(range(nodes)) * _TREES,
        "nodes_featureids": random.integers(0, 30, nodes * _TREES).tolist(),
        "nodes_values": random.random(nodes * _TREES).tolist(),
        "nodes_modes": ["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
        "nodes_truenodeids": ([2 * node + 1 for node in range(inner)] + [0] * leaves) * _TREES,
        "nodes_falsenodeids": ([2 * node + 2 for node in range(inner)] + [0] * leaves) * _TREES,
        "class_treeids": [tree for tree in trees for _ in range(leaves)],
        "class_nodeids": list(range(inner, nodes)) * _TREES,
        "class_ids": [0] * leaves * _TREES,
        "class_weights": random.normal(0, 0.2, leaves * _TREES).tolist(),
    }


def _network() -> onnx.ModelProto:
    """Dense layers with ReLU between them and a softmax at the end."""
    random, nodes, weights = np.random.default_rng(2), [], []
    last = len(_LAYERS) - 2
    for number, (fan_in, fan_out) in enumerate(itertools.pairwise(_LAYERS)):
        weight = random.normal(0, (2 / fan_in) ** 0.5, (fan_in, fan_out)).astype(np.float32)
        weights += [tensor(f"w{number}", weight), tensor(f"b{number}", np.zeros(fan_out, np.float32))]
        source = f"h{number}" if number else "X"
        nodes.append(helper.make_node("Gemm", [source, f"w{number}", f"b{number}"], [f"g{number}"]))
        if number < last:
            nodes.append(helper.make_node("Relu", [f"g{number}"], [f"h{number + 1}"]))
    nodes.append(helper.make_node("Softmax", [f"g{last}"], ["probabilities"], axis=1))
    return assemble(nodes, _LAYERS[0], _LAYERS[-1], weights)


def tensor(name: str, values: np.ndarray[Any, Any]) -> onnx.TensorProto:
    """A weight."""
    return onnx.numpy_helper.from_array(values, name)


def assemble(nodes: list[Any], width: int, classes: int, weights: list[Any], *more: Any) -> onnx.ModelProto:
    """From `X` to `probabilities`, and to whatever `more` outputs."""
    given = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", width])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes])
    graph = helper.make_graph(nodes, "model", [given], [*more, probabilities], weights)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
    onnx.checker.check_model(model)
    return model


MODELS: Mapping[str, Model] = {
    "trees": Model("trees", "100 gradient-boosted trees, 30 features", 30, _trees),
    "network": Model("network", "a 784-2048-2048-10 network", 784, _network),
}
