"""Puts the rows of several calls into one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_TEXT = "UO"
"""Kinds of dtype whose elements differ in length, or are references."""

_LARGE = 2 * 2**20
"""Bytes of an array that takes longer to copy than others may be kept waiting for."""


def join_rows(arrays: Sequence[Any], rows: int) -> Any:
    """One array of the `rows` that all have together. They are of one kind of dtype, and their rows of one shape.

    Numbers are joined as bytes, and the GIL is kept meanwhile. numpy gives it up for each array, and the batch thread
    then waited a millisecond for the loop to give it back, while ONNX Runtime had nothing to do.
    """
    first = arrays[0]
    if first.dtype.kind in _TEXT or first.nbytes > _LARGE:
        return np.concatenate(arrays)
    try:
        joined = b"".join(arrays)
    except (BufferError, TypeError, ValueError):  # one that isn't contiguous
        return np.concatenate(arrays)
    return np.frombuffer(joined, first.dtype).reshape(rows, *first.shape[1:])
