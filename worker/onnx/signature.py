"""What a session takes and gives, and which calls of it fit together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

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


_MOST_FITS = 1000
"""A model of texts has one for each length and number of rows."""


class Form:
    """How a well-formed call is made: it may be merged with those of the same form. Equal only to itself, so that
    comparing two costs nothing."""

    __slots__ = ("inputs", "outputs")

    def __init__(self, outputs: Sequence[str], inputs: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        self.outputs = list(outputs)
        """Names, in the order asked for."""
        self.inputs = inputs
        """Of each its name and the shape of a row."""


class Signature:
    """Names and types of a session's inputs and outputs."""

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Takes what `get_inputs()` and `get_outputs()` return."""
        self._inputs = {each.name: _accepted(each.type) for each in inputs}
        self._outputs = tuple(each.name for each in outputs)
        self._fits: dict[Hashable, tuple[Form, int]] = {}
        """Of calls that were seen, by all that can be told of them at sight."""
        self._forms: dict[Hashable, Form] = {}

    def fit(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> tuple[Form, int] | None:
        """The form and the rows of a call; None for one that is unusual in any way: that one runs alone, and ONNX
        Runtime judges it."""
        outputs = tuple(output_names) if output_names else self._outputs
        key: tuple[Any, ...] = (outputs, *feeds)
        for array in feeds.values():
            if type(array) is not np.ndarray:
                return None
            key += (array.dtype, array.shape)
        return self._fits.get(key) or self._look(key, outputs, feeds)

    def _look(self, key: Hashable, outputs: tuple[str, ...], feeds: Mapping[str, Any]) -> tuple[Form, int] | None:
        """The same of a call that was never seen, or not lately."""
        if feeds.keys() != self._inputs.keys() or not set(self._outputs).issuperset(outputs):
            return None
        arrays = {name: feeds[name] for name in self._inputs}
        counts = {array.shape[:1] for array in arrays.values()}
        if len(counts) != 1 or counts <= {(), (0,)}:
            return None
        for name, array in arrays.items():
            if self._inputs[name].isdisjoint((array.dtype.str, array.dtype.kind)):
                return None
        if len(self._fits) >= _MOST_FITS:
            self._fits, self._forms = {}, {}  # the calls that wait just don't fit with those to come
        [(rows,)] = counts
        fit = self._fits[key] = self._form(outputs, arrays), rows
        return fit

    def _form(self, outputs: tuple[str, ...], arrays: Mapping[str, Any]) -> Form:
        """By kind of dtype, for texts of any length go together."""
        shapes = tuple((name, array.shape[1:]) for name, array in arrays.items())
        alike = outputs, shapes, tuple(array.dtype.kind for array in arrays.values())
        return self._forms.setdefault(alike, Form(outputs, shapes))


def rows_of(feeds: Mapping[str, Any]) -> int:
    """How many rows a call seems to have, for guessing how long it takes."""
    shapes = (getattr(value, "shape", ()) for value in feeds.values())
    return next((shape[0] for shape in shapes if isinstance(shape, tuple) and shape), 1)  # an OrtValue's is a method


def _accepted(type: str) -> frozenset[str]:
    """The `dtype.str` that an input takes; for text the kinds: numpy's own, of any length, and objects."""
    if type == "tensor(string)":
        return frozenset("UO")
    return frozenset({np.dtype(DTYPES[type]).str}) if type in DTYPES else frozenset()
