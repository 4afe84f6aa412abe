"""Rows to try a model with: made up from its inputs' shapes and types alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph.graph import Dimension
from .signature import DTYPES

Feeds = dict[str, Any]

SCALES = (1.0, 100.0, 0.01, 10.0)
"""Of the rows of a trial. Where one row decides another's scale (quantisation, a norm), rows of unlike size show it."""

HUGE = 1e30


class Rows:
    """Made-up rows of one session. Deterministic, so that a model loads the same way each time; sines, because
    numpy.random costs eleven milliseconds to import."""

    def __init__(self, inputs: Sequence[Any], size: int, words: Sequence[str], *, gentle: bool) -> None:
        """`inputs`: what `get_inputs()` returns. `size`: of each dimension without a fixed one. `words`: for text.
        `gentle`: floats are 0 or 1, for models that look things up by them.
        """
        self._inputs = [(each.name, DTYPES[each.type], _trailing(each.shape, size)) for each in inputs]
        self._words = words
        self._gentle = gentle

    def singles(self) -> list[Feeds]:
        """A batch of one for each scale."""
        return [self._row(index) for index in range(len(SCALES))]

    def poisons(self) -> list[tuple[Feeds, float]]:
        """Batches of one unusual row each, and the value in it: once in place of floats, once of whole numbers
        (a table may hold no thousand entries)."""
        given = {dtype.kind for dtype in (np.dtype(dtype) for _, dtype, _ in self._inputs)}
        return [
            (self._poison(kinds, value), value)
            for kinds, value in (("f", HUGE), ("f", math.nan), ("iu", 1000), ("iu", 1000), ("iu", 3))
            if not given.isdisjoint(kinds)
        ]

    def _poison(self, kinds: str, value: float) -> Feeds:
        return {
            name: np.full_like(array, _within(array.dtype, value)) if array.dtype.kind in kinds else array
            for name, array in self._row(1).items()
        }

    def _row(self, index: int) -> Feeds:
        return {
            name: self._values(dtype, (1, *shape), index, position)
            for position, (name, dtype, shape) in enumerate(self._inputs)
        }

    def _values(self, dtype: type, shape: tuple[int, ...], index: int, position: int) -> Any:
        waves = np.sin(np.arange(1.0, 1.0 + np.prod(shape, dtype=int)) * (12.9898 + position) + 78.233 * (index + 1))
        waves = waves.reshape(shape)
        if issubclass(dtype, np.floating) and not self._gentle:
            return (waves * SCALES[index % len(SCALES)]).astype(dtype)
        if dtype is np.str_:
            picks = (np.abs(waves) * 1000).astype(int) % len(self._words)
            return np.array(self._words, dtype=object)[picks]
        # Whole numbers are 0 or 1: what they index or mask is rarely shorter than two.
        return (waves > 0).astype(dtype)


def together(rows: Sequence[Feeds]) -> Feeds:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _within(dtype: Any, value: float) -> float:
    largest = np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max
    return min(value, float(largest)) if value == value else value


def _trailing(shape: Sequence[Dimension], size: int) -> tuple[int, ...]:
    return tuple(each if isinstance(each, int) and each >= 0 else size for each in shape[1:])
