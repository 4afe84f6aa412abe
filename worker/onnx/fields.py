"""One input or output of an ONNX model as JSON carries it: without the dimension of the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidVariables, LoadFailed
from .graph.graph import Dimension
from .signature import DTYPES

Schema = dict[str, Any]

_JSON_TYPES = {"f": ["number", "null"], "i": "integer", "u": "integer", "b": "boolean", "U": "string"}
_WORDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false", "U": "text"}
_GIVEN = {"f": "numbers", "i": "numbers", "u": "numbers", "b": "true or false", "U": "text"}


class InputField:
    """From JSON to the array that a session takes."""

    def __init__(self, argument: Any) -> None:
        """Takes one of what `get_inputs()` returns. Raises LoadFailed."""
        self.name: str = argument.name
        if argument.type not in DTYPES:
            raise LoadFailed(f"input {self.name} is a {argument.type}, which JSON can't carry: write an etls.py")
        self._dtype = np.dtype(DTYPES[argument.type])
        self._has_rows = _is_symbolic(argument.shape)
        self._shape = _fixed(argument.shape[1:] if self._has_rows else argument.shape)
        self._any_rank = not argument.shape  # a scalar, or undeclared

    @property
    def schema(self) -> Schema:
        if self._any_rank:
            return {}
        # A lone number need not be wrapped.
        return _nested([] if all(size == 1 for size in self._shape) else self._shape, _element(self._dtype))

    def feed(self, value: Any) -> Any:
        """The array for `session.run`, of one row. Raises InvalidVariables, naming the field."""
        array = self._shaped(self._converted(value))
        return array[np.newaxis] if self._has_rows else array

    def _converted(self, value: Any) -> Any:
        kind = self._dtype.kind
        try:
            given = np.asarray(value, dtype=object if kind == "U" else None)
        except (ValueError, TypeError, OverflowError):
            raise self._invalid("its lists differ in length") from None
        if given.dtype.kind == "O":
            return self._from_objects(given)
        if given.size == 0:
            return given.astype(self._dtype)
        if given.dtype.kind not in ("fiu" if kind in "fiu" else kind):
            raise self._invalid(f"it takes {_WORDS[kind]}, not {_GIVEN.get(given.dtype.kind, 'this')}")
        return self._narrowed(given)

    def _from_objects(self, given: Any) -> Any:
        """Text; and numbers among nulls, which stand for NaN as they do in answers."""
        kind = self._dtype.kind
        if kind == "U" and all(type(each) is str for each in given.flat):
            return given
        if kind == "f" and all(each is None or type(each) in (int, float) for each in given.flat):
            return self._narrowed(np.array([*map(_number, given.flat)]).reshape(given.shape))
        raise self._invalid(f"it takes {_WORDS[kind]}, in lists of equal length")

    def _narrowed(self, given: Any) -> Any:
        """Numbers in the input's own type; those that don't fit it are refused, not bent."""
        with np.errstate(over="ignore", invalid="ignore"):
            array = given.astype(self._dtype)
        kind = self._dtype.kind
        # JSON has no infinity: one is a number too large.
        fits = not np.isinf(array).any() if kind == "f" else np.array_equal(array, given)
        if not fits:
            raise self._invalid(f"it takes {_WORDS[kind]} that fit {self._dtype.name}")
        return array

    def _shaped(self, array: Any) -> Any:
        """Dimensions of one may be left out or put around, where the result is clear."""
        if self._any_rank or _matches(array.shape, self._shape):
            return array
        known = [size for size in self._shape if size is not None]
        if len(known) == len(self._shape) and [s for s in array.shape if s != 1] == [s for s in known if s != 1]:
            return array.reshape(known)
        raise self._invalid(f"it takes {_in_words(self._shape)}, not {_in_words(array.shape)}")

    def _invalid(self, reason: str) -> InvalidVariables:
        return InvalidVariables(f"{self.name}: {reason}", self.name)


class OutputField:
    """From what a session returned to what JSON carries."""

    def __init__(self, argument: Any, inputs: Sequence[Any]) -> None:
        """Takes one of what `get_outputs()` returns, and all that `get_inputs()` does."""
        self.name: str = argument.name
        self._type: str = argument.type
        self._has_rows = _is_symbolic(argument.shape) and _counts_rows(argument.shape[0], inputs)
        self._shape = _fixed(argument.shape[1:] if self._has_rows else argument.shape)

    @property
    def schema(self) -> Schema:
        if self._type in DTYPES:
            return _nested(self._shape, _element(np.dtype(DTYPES[self._type]))) if self._shape or self._has_rows else {}
        return {"type": "object"} if "map(" in self._type else {}

    def answer(self, output: Any) -> Any:
        """One row, where the output has one; a sequence of one map is one, too."""
        if isinstance(output, list) and self._type.startswith("seq(map("):
            rows = [_with_text_keys(each) for each in output]
            return rows[0] if len(rows) == 1 else rows
        if isinstance(output, dict):
            return _with_text_keys(output)
        return output[0] if self._has_rows and len(output) == 1 else output


def _number(value: float | None) -> float:
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.inf  # of hundreds of digits


def _is_symbolic(shape: Sequence[Dimension]) -> bool:
    return len(shape) > 0 and not isinstance(shape[0], int)


def _counts_rows(first: Dimension, inputs: Sequence[Any]) -> bool:
    """An output's first dimension counts rows when it goes by the name of an input's, or either has none: it may be a
    number of boxes found, which has a name of its own."""
    firsts = [each.shape[0] for each in inputs if _is_symbolic(each.shape)]
    return bool(firsts) and (_is_unnamed(first) or first in firsts or any(map(_is_unnamed, firsts)))


def _is_unnamed(symbol: Dimension) -> bool:
    """tf2onnx makes up a name for each unknown dimension."""
    return symbol is None or str(symbol).startswith("unk__")


def _fixed(shape: Sequence[Dimension]) -> list[int | None]:
    return [size if isinstance(size, int) else None for size in shape]


def _matches(given: Sequence[int], shape: Sequence[int | None]) -> bool:
    return len(given) == len(shape) and all(size in (None, there) for there, size in zip(given, shape, strict=True))


def _nested(shape: Sequence[int | None], element: Schema) -> Schema:
    schema = element
    for size in reversed(shape):
        schema = {"type": "array", "items": schema}
        if size is not None:
            schema |= {"minItems": size, "maxItems": size}
    return schema


def _element(dtype: Any) -> Schema:
    schema: Schema = {"type": _JSON_TYPES[dtype.kind]}
    if dtype.kind in "iu" and dtype.itemsize < 8:
        schema |= {"minimum": int(np.iinfo(dtype).min), "maximum": int(np.iinfo(dtype).max)}
    return schema


def _in_words(shape: Sequence[int | None]) -> str:
    return "lists of {}".format(" by ".join("any" if size is None else str(size) for size in shape)) if shape else "one"


def _with_text_keys(row: Any) -> Any:
    return {str(key): value for key, value in row.items()} if isinstance(row, dict) else row
