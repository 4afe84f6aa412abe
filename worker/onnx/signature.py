"""What a session takes and gives, and which calls of it fit together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

DTYPES: dict[str, type] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.str_,
}
"""ONNX Runtime's names of element types, as numpy arrays carry them."""


class Fit(NamedTuple):
    """A well-formed call: it may be merged with those of the same key."""

    key: Hashable
    rows: int


class Signature:
    """Names and types of a session's inputs and outputs."""

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Takes what `get_inputs()` and `get_outputs()` return."""
        self._inputs = [(each.name, _accepted(each.type)) for each in inputs]
        self._outputs = tuple(each.name for each in outputs)
        self._known = frozenset(self._outputs)

    def fit(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> Fit | None:
        """None for a call that is unusual in any way: that one runs alone, and ONNX Runtime judges it."""
        names = tuple(output_names) if output_names else self._outputs
        if len(feeds) != len(self._inputs) or not self._known.issuperset(names):
            return None
        rows, forms = 0, []
        for name, accepted in self._inputs:
            array = feeds.get(name)
            if type(array) is not np.ndarray or accepted.isdisjoint((array.dtype.str, array.dtype.kind)):
                return None
            shape = array.shape
            if not shape or not shape[0] or shape[0] != (rows or shape[0]):
                return None
            rows = shape[0]
            forms.append((array.dtype.kind, shape[1:]))
        return Fit((names, tuple(forms)), rows)


def _accepted(type: str) -> frozenset[str]:
    """The `dtype.str` that an input takes; for text the kinds: numpy's own, of any length, and objects."""
    if type == "tensor(string)":
        return frozenset("UO")
    return frozenset({np.dtype(DTYPES[type]).str}) if type in DTYPES else frozenset()


def rows_of(feeds: Mapping[str, Any]) -> int:
    """How many rows a call seems to have, for guessing how long it takes."""
    shapes = (getattr(value, "shape", ()) for value in feeds.values())
    return next((shape[0] for shape in shapes if shape), 1)
