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


MOST_FORMS = 1000
"""A model of texts has one for each length."""


class Form:
    """How a well-formed call is made: it may be merged with those of the same form. Equal only to itself, so that
    comparing two costs nothing."""

    __slots__ = ("inputs", "outputs")

    def __init__(self, outputs: Sequence[str], inputs: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        self.outputs = list(outputs)
        """Names, in the order asked for."""
        self.inputs = inputs
        """Of each its name and the shape of a row."""


_Array = np.ndarray
"""Looking it up in numpy takes longer than comparing it."""


class Signature:
    """Names and types of a session's inputs and outputs."""

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], most_forms: int = MOST_FORMS) -> None:
        """Takes what `get_inputs()` and `get_outputs()` return."""
        self._most_forms = most_forms
        self._inputs = [(each.name, _accepted(each.type)) for each in inputs]
        self._names = [each.name for each in inputs]
        self._outputs = tuple(each.name for each in outputs)
        self._known = frozenset(self._outputs)
        self._seen: dict[Hashable, Form] = {}
        self._forms: dict[Hashable, Form] = {}

    def fit(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> tuple[Form, int] | None:
        """The form and the rows of a call; None for one that is unusual in any way: that one runs alone, and ONNX
        Runtime judges it."""
        if len(feeds) != len(self._names):
            return None
        seen: list[Any] = [tuple(output_names) if output_names else None]
        rows = None
        for name in self._names:
            array = feeds.get(name)
            if type(array) is not _Array:
                return None
            shape = array.shape
            if not shape:
                return None
            count = shape[0]
            if rows is None:
                rows = count
            elif rows != count:
                return None
            seen += array.dtype, shape[1:]
        if not rows:
            return None
        form = self._seen.get(key := tuple(seen)) or self._look(key)
        return (form, rows) if form else None

    def _look(self, key: tuple[Any, ...]) -> Form | None:
        """The form of a call that was never seen, or not lately."""
        outputs, dtypes, shapes = key[0] or self._outputs, key[1::2], key[2::2]
        if not self._known.issuperset(outputs):
            return None
        for (_, accepted), dtype in zip(self._inputs, dtypes, strict=True):
            if accepted.isdisjoint((dtype.str, dtype.kind)):
                return None
        if len(self._seen) >= self._most_forms:
            self._seen, self._forms = {}, {}  # the calls that wait just don't fit with those to come
        # By kind, for texts of any length go together.
        alike = (outputs, tuple(dtype.kind for dtype in dtypes), shapes)
        form = self._forms.setdefault(alike, Form(outputs, tuple(zip(self._names, shapes, strict=True))))
        self._seen[key] = form
        return form


def rows_of(feeds: Mapping[str, Any]) -> int:
    """How many rows a call seems to have, for guessing how long it takes."""
    shapes = (getattr(value, "shape", ()) for value in feeds.values())
    return next((shape[0] for shape in shapes if isinstance(shape, tuple) and shape), 1)  # an OrtValue's is a method


def _accepted(type: str) -> frozenset[str]:
    """The `dtype.str` that an input takes; for text the kinds: numpy's own, of any length, and objects."""
    if type == "tensor(string)":
        return frozenset("UO")
    return frozenset({np.dtype(DTYPES[type]).str}) if type in DTYPES else frozenset()
