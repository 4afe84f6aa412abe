"""Runs calls that were merged through buffers that are kept: on a GPU, where each new size of a batch costs more than
a few rows too many do.

A batch is padded to the next of a few sizes, for cuDNN plans anew for each shape, and the arena grows with each. The
rows added repeat the last one, so they are as acceptable as it is, and what comes of them is dropped.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnxruntime import OrtValue

from .batcher import Call
from .joining import join_rows
from .signature import DTYPES, Form

MOST_BYTES = 256 * 2**20
"""Of one session's buffers, here and on the device. Those used longest ago are given up for others."""
MOST_SHAPES = 64
"""Of batches that have buffers."""


class Device(NamedTuple):
    """As ONNX Runtime names it."""

    kind: str
    number: int = 0


class Binding:
    """The buffers of one session whose calls may be merged. One thread at a time."""

    def __init__(self, session: Any, device: Device, max_rows: int, most_bytes: int = MOST_BYTES) -> None:
        """Takes a session of numbers only; see `can_bind`."""
        self.sizes = sizes_up_to(max_rows)
        """That batches are padded to."""
        self._session = session
        self._device = device
        self._most_bytes = most_bytes
        self._inputs = {each.name: np.dtype(DTYPES[each.type]) for each in session.get_inputs()}
        self._outputs = {each.name: _rows_of(each) for each in session.get_outputs()}
        self._buffers: dict[tuple[Form, int], _Buffers] = {}
        """Those used longest ago come first."""

    def run(self, calls: Sequence[Call], rows: int) -> list[Any] | None:
        """The outputs of calls of one form, in memory of their own: they are read while the next batch runs. None: the
        calls have no buffers, being too many or too large. Raises what ONNX Runtime raises."""
        form = calls[0].key
        if rows > self.sizes[-1] or not isinstance(form, Form):
            return None
        buffers = self._find(form, self.sizes[bisect_left(self.sizes, rows)])
        return None if buffers is None else buffers.run([call.feeds for call in calls], rows)

    def _find(self, form: Form, size: int) -> _Buffers | None:
        found = self._buffers.pop((form, size), None) or self._make(form, size)
        if found is not None:
            self._buffers[form, size] = found
        return found

    def _make(self, form: Form, size: int) -> _Buffers | None:
        inputs = {name: _Rows(shape, self._inputs[name]) for name, shape in form.inputs}
        outputs = {name: self._outputs[name] for name in form.outputs}
        takes = size * sum(each.bytes for each in (*inputs.values(), *outputs.values()) if each)
        if len(outputs) < len(form.outputs) or not 0 < takes <= self._most_bytes:
            return None
        self._make_room(takes)
        return _Buffers(self._session, self._device, size, inputs, outputs, takes)

    def _make_room(self, takes: int) -> None:
        while self._buffers and (
            len(self._buffers) >= MOST_SHAPES
            or sum(each.takes for each in self._buffers.values()) + takes > self._most_bytes
        ):
            del self._buffers[next(iter(self._buffers))]


def can_bind(session: Any) -> bool:
    """Whether all that a session takes and gives are numbers: text has no buffers."""
    return all(each.type in DTYPES and each.type != _TEXT for each in (*session.get_inputs(), *session.get_outputs()))


def sizes_up_to(max_rows: int) -> tuple[int, ...]:
    """Powers of two, so that less than half of a batch is padding, and the largest batch."""
    return (*(2**power for power in range((max_rows - 1).bit_length())), max_rows)


_TEXT = "tensor(string)"


class _Rows(NamedTuple):
    """What the rows of an input or an output are."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def empty(self, size: int) -> Any:
        return np.empty((size, *self.shape), self.dtype)


def _rows_of(output: Any) -> _Rows | None:
    """None where the model doesn't say before it has run."""
    shape = tuple(output.shape[1:])
    if not all(isinstance(each, int) and each > 0 for each in shape):
        return None
    return _Rows(shape, np.dtype(DTYPES[output.type]))


class _Buffers:
    """For batches of one size, of calls of one form."""

    def __init__(
        self,
        session: Any,
        device: Device,
        size: int,
        inputs: Mapping[str, _Rows],
        outputs: Mapping[str, _Rows | None],
        takes: int,
    ) -> None:
        self.takes = takes
        """Bytes."""
        self._session = session
        self._size = size
        self._binding = session.io_binding()
        self._given = {
            name: session.create_ortvalue_from_shape_and_type([size, *each.shape], each.dtype.type, *device)
            for name, each in inputs.items()
        }
        self._results = {name: each and each.empty(size) for name, each in outputs.items()}
        """Here, where rows are shared out: ONNX Runtime copies them from the GPU as part of the run."""
        self._bind_outputs()

    def run(self, feeds: Sequence[Mapping[str, Any]], rows: int) -> list[Any]:
        for name, value in self._given.items():
            value.update_inplace(self._padded([each[name] for each in feeds], rows))
            # Anew: what the graph takes on the other side is copied there when it is bound, and not again.
            self._binding.bind_ortvalue_input(name, value)
        for name in self._unknown:
            self._binding.bind_output(name)  # anew, or what it gave last would be taken for a buffer of ours
        self._binding.synchronize_inputs()
        self._session.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()  # a run may end before what it gives has been copied
        results = [
            (found.numpy() if kept is None else kept).copy()  # what was found may lie in an input's buffer
            for kept, found in zip(self._results.values(), self._binding.get_outputs(), strict=True)
        ]
        # None at all where the rows aren't those that went in: padding can't be told from them.
        return [each[:rows] if each.shape[:1] == (self._size,) else each[:0] for each in results]

    def _bind_outputs(self) -> None:
        for name, result in self._results.items():
            if result is None:
                self._binding.bind_output(name)  # for its place among the others
            else:
                self._binding.bind_ortvalue_output(name, OrtValue.ortvalue_from_numpy(result))
        self._unknown = [name for name, result in self._results.items() if result is None]

    def _padded(self, arrays: Sequence[Any], rows: int) -> Any:
        if len(arrays) == 1 and rows == self._size:
            return arrays[0]
        return join_rows([*arrays, *[arrays[-1][-1:]] * (self._size - rows)], self._size)
