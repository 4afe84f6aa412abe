"""A convolutional network, made here: residual blocks over small images, as classifiers of them have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from bench.inputs.models import Model, Rows, assemble, tensor

_SIDE, _COLOURS, _CLASSES = 64, 3, 10
_STAGES = ((64, 1), (128, 2), (256, 2))
"""Channels, and the stride of the first convolution: 2.8 million weights, 3.6 billion operations an image."""
_BLOCKS = 2


@dataclass(frozen=True)
class Images(Model):
    """Each row is an image."""

    def rows(self, count: int) -> Rows:
        """Of colours that a byte holds; squares in shades of a few, for noise looks all the same to a network."""
        random = np.random.default_rng(count)
        brightest = random.integers(1, 256, (count, _COLOURS, 1, 1))
        squares = random.integers(0, brightest + 1, (count, _COLOURS, 8, 8))
        pixels = squares.repeat(_SIDE // 8, axis=2).repeat(_SIDE // 8, axis=3)
        return pixels.reshape(count, self.width).astype(np.float32) / np.float32(255)


class _Graph:
    """Nodes and weights so far. Each method returns the name of what it adds."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._random = np.random.default_rng(3)

    def add(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def weight(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(tensor(name, values))
        return name

    def drawn(self, shape: Sequence[int], scale: float) -> str:
        return self.weight(self._random.normal(0, scale, shape).astype(np.float32))

    def convolution(self, source: str, fan_in: int, fan_out: int, size: int, stride: int, gain: float = 1.0) -> str:
        """Followed by nothing: batch normalisation is folded into the weights, as exporters do."""
        kernel = self.drawn((fan_out, fan_in, size, size), gain * (2 / (fan_in * size * size)) ** 0.5)
        around = [size // 2] * 4
        bias = self.weight(np.zeros(fan_out, np.float32))
        return self.add("Conv", source, kernel, bias, kernel_shape=[size] * 2, pads=around, strides=[stride] * 2)

    def block(self, source: str, fan_in: int, fan_out: int, stride: int) -> str:
        """Two convolutions, around which the input goes as it is, or fitted to their output."""
        inner = self.add("Relu", self.convolution(source, fan_in, fan_out, 3, stride))
        inner = self.convolution(inner, fan_out, fan_out, 3, 1, gain=0.3)
        if (fan_in, stride) != (fan_out, 1):
            source = self.convolution(source, fan_in, fan_out, 1, stride)
        return self.add("Relu", self.add("Add", source, inner))


def _convolutional() -> onnx.ModelProto:
    graph = _Graph()
    shape = graph.weight(np.array([-1, _COLOURS, _SIDE, _SIDE]))
    channels = _STAGES[0][0]
    last = graph.add("Relu", graph.convolution(graph.add("Reshape", "X", shape), _COLOURS, channels, 3, 1))
    for fan_out, stride in _STAGES:
        for number in range(_BLOCKS):
            last = graph.block(last, channels, fan_out, 1 if number else stride)
            channels = fan_out
    pooled = graph.add("Flatten", graph.add("GlobalAveragePool", last), axis=1)
    scores = graph.add("MatMul", pooled, graph.drawn((channels, _CLASSES), 0.3))
    graph.add("Softmax", scores, output="probabilities", axis=1)
    return assemble(graph.nodes, _COLOURS * _SIDE * _SIDE, _CLASSES, graph.weights)


IMAGES = Images("images", f"a residual network over {_SIDE} x {_SIDE} images", _COLOURS * _SIDE * _SIDE, _convolutional)
