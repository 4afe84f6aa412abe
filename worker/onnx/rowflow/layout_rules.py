"""Where the rows lie after an operator that moves, cuts or joins tensors, or computes with their shapes."""

from __future__ import annotations

import math

from ..graph.graph import Node
from .operands import Given, Rule, axis_of, first, fixed, from_attribute_or_operand, keep_off, operand, optional
from .values import FREE, Coupled, Entry, Shape, Size, Tensor, of_rows

_WHOLE_NUMBERS = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
"""TensorProto.DataType"""


def _transpose(node: Node, given: Given) -> Tensor:
    shape = first(given).dimensions
    order = node.integers.get("perm", tuple(reversed(range(len(shape)))))
    return of_rows(shape[axis] for axis in order)


def _reshape(node: Node, given: Given) -> Tensor:
    source = first(given)
    wanted = _wanted(node, source, operand(given, 1))
    if source.axis is None:
        if any(isinstance(each, Size) for each in wanted):
            raise Coupled("lays out by the number of rows what is the same for all")
        short = source.numbers is not None and len(wanted) < 2
        return Tensor(tuple(None if each == -1 else each for each in wanted), source.numbers if short else None)
    ahead = source.dimensions[: source.axis]
    if any(each != 1 for each in ahead):
        raise Coupled("lays tensors out anew whose rows are not their first axis")
    ones = next((index for index, each in enumerate(wanted) if each != 1), len(wanted))
    axis, behind = wanted[ones : ones + 1], wanted[ones + 1 :]
    if axis not in ((-1,), (Size.ROWS,)) or any(isinstance(each, Size) for each in behind):
        raise Coupled("may put rows together")
    return of_rows((*wanted[:ones], Size.ROWS, *(None if each == -1 else each for each in behind)))


def _wanted(node: Node, source: Tensor, target: Tensor) -> Shape:
    if target.numbers is None:
        raise Coupled("lays tensors out by a shape that can't be followed")
    copies = node.integers.get("allowzero", (0,)) == (0,)
    return tuple(
        source.dimensions[index] if each == 0 and copies else int(each) if isinstance(each, float) else each
        for index, each in enumerate(target.numbers)
    )


def _flatten(node: Node, given: Given) -> Tensor:
    source = first(given)
    axis = axis_of(node, source.rank, 1)
    if source.axis is None:
        return Tensor((None, None))
    if source.axis != 0 or axis == 0:
        raise Coupled("may put rows together")
    return of_rows((Size.ROWS, None))


def _squeeze(node: Node, given: Given) -> Tensor:
    source = first(given)
    axes = from_attribute_or_operand(node, "axes", given, 1)
    if axes is None:
        if source.axis is not None or None in source.dimensions:
            raise Coupled("drops every axis of length one, so that of a lone row")
        axes = [axis for axis, size in enumerate(source.dimensions) if size == 1]
    gone = {axis % source.rank for axis in axes}
    if source.axis in gone:
        raise Coupled("drops the axis of the rows")
    shape = tuple(each for axis, each in enumerate(source.dimensions) if axis not in gone)
    return Tensor(shape, source.numbers)


def _unsqueeze(node: Node, given: Given) -> Tensor:
    source = first(given)
    axes = from_attribute_or_operand(node, "axes", given, 1) or []
    rank = source.rank + len(axes)
    new, old = {axis % rank for axis in axes}, iter(source.dimensions)
    shape = tuple(1 if axis in new else next(old) for axis in range(rank))
    return Tensor(shape, source.numbers if rank < 2 else None)


def _concat(node: Node, given: Given) -> Tensor:
    tensors = [each for each in given if each is not None]
    rank = tensors[0].rank
    axis = axis_of(node, rank, 0)
    rows = {each.axis for each in tensors if each.axis is not None}
    if axis in rows:
        raise Coupled("puts rows behind rows")
    if len(rows) > 1 or any(each.dimensions[row] not in (1, Size.ROWS) for row in rows for each in tensors):
        raise Coupled("joins rows with what lies by their place in the batch")
    shape: list[Entry] = [None] * rank
    for row in rows:
        shape[row] = Size.ROWS
    parts = [each.numbers for each in tensors if each.numbers is not None]
    whole = len(parts) == len(tensors) and rank == 1
    return Tensor(tuple(shape), tuple(each for part in parts for each in part) if whole else None)


def _split(node: Node, given: Given) -> list[Tensor]:
    source = first(given)
    axis = axis_of(node, source.rank, 0)
    keep_off(axis, source)
    return [_with(source, axis, None)] * len(node.outputs)


def _with(source: Tensor, axis: int, size: Entry) -> Tensor:
    shape = list(source.dimensions)
    shape[axis] = size
    return Tensor(tuple(shape))


def _slice(node: Node, given: Given) -> Tensor:
    source = first(given)
    axes = from_attribute_or_operand(node, "axes", given, 3)
    if axes is None:
        axes = list(range(len(_starts(node, given))))
    cut = {axis % source.rank for axis in axes}
    if source.axis in cut:
        raise Coupled("picks rows by their place in the batch")
    shape = tuple(None if axis in cut else each for axis, each in enumerate(source.dimensions))
    return Tensor(shape, None if source.numbers is None else _sliced(node, given, source.numbers))


def _starts(node: Node, given: Given) -> list[int]:
    starts = from_attribute_or_operand(node, "starts", given, 1)
    if starts is None:
        raise Coupled("lacks an operand")
    return starts


def _sliced(node: Node, given: Given, numbers: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Of a vector."""
    [start] = _starts(node, given)
    [end] = from_attribute_or_operand(node, "ends", given, 2) or [len(numbers)]
    [step] = from_attribute_or_operand(node, "steps", given, 4) or [1]
    return numbers[start:end:step]


def _gather(node: Node, given: Given) -> Tensor:
    source, picks = first(given), operand(given, 1)
    axis = axis_of(node, source.rank, 0)
    keep_off(axis, source, "picks rows by their place in the batch")
    shape = of_rows((*source.dimensions[:axis], *picks.dimensions, *source.dimensions[axis + 1 :])).shape
    chosen = fixed(picks)
    if source.numbers is None or chosen is None or source.rank != 1 or picks.rank > 1:
        return Tensor(shape)
    return Tensor(shape, tuple(source.numbers[each] for each in chosen))


def _gather_elements(node: Node, given: Given) -> Tensor:
    source, picks = first(given), operand(given, 1)
    axis = axis_of(node, source.rank, 0)
    if source.axis != picks.axis or axis == source.axis or source.rank != picks.rank:
        raise Coupled("picks rows by their place in the batch")
    return of_rows(picks.dimensions)


def _gather_nd(node: Node, given: Given) -> Tensor:
    source, picks = first(given), operand(given, 1)
    (batch,) = node.integers.get("batch_dims", (0,))
    length = picks.dimensions[-1]
    if not isinstance(length, int) or picks.axis == picks.rank - 1:
        raise Coupled("picks by places that can't be followed")
    together = source.axis == picks.axis and source.axis is not None and source.axis < batch
    if (source.axis is not None or (picks.axis is not None and picks.axis < batch)) and not together:
        raise Coupled("picks rows by their place in the batch")
    return of_rows((*picks.dimensions[:-1], *source.dimensions[batch + length :]))


def _pad(node: Node, given: Given) -> Tensor:
    source = first(given)
    pads = from_attribute_or_operand(node, "pads", given, 1)
    axes = fixed(optional(given, 3))
    if pads is None or (optional(given, 3) is not None and axes is None):
        raise Coupled("computes its pads")
    padded = [axis % source.rank for axis in (range(source.rank) if axes is None else axes)]
    for axis, *widths in zip(padded, pads[: len(padded)], pads[len(padded) :], strict=True):
        if axis == source.axis and any(widths):
            raise Coupled("adds rows")
    return of_rows(Size.ROWS if axis == source.axis else None for axis in range(source.rank))


def _expand(node: Node, given: Given) -> Tensor:
    source, target = first(given), operand(given, 1)
    if target.numbers is None:
        raise Coupled("widens tensors to a shape that can't be followed")
    rank = max(source.rank, len(target.numbers))
    old = (1,) * (rank - source.rank) + source.dimensions
    new = (1,) * (rank - len(target.numbers)) + target.numbers
    return of_rows(map(_expanded, old, new))


def _expanded(old: Entry, new: Entry) -> Entry:
    if old is Size.ROWS or new is Size.ROWS:
        if {old, new} - {1, Size.ROWS}:
            raise Coupled("sets each row against something else by its place in the batch")
        return Size.ROWS
    return old if new == 1 else new


def _tile(node: Node, given: Given) -> Tensor:
    source, times = first(given), operand(given, 1)
    if times.numbers is None:
        raise Coupled("repeats as often as can't be followed")
    return of_rows(map(_tiled, source.dimensions, times.numbers))


def _tiled(old: Entry, times: Entry) -> Entry:
    if times == 1:
        return old
    if old is Size.ROWS or (isinstance(times, Size) and old != 1):
        raise Coupled("repeats rows")
    return times if isinstance(times, Size) else None


def _shape(node: Node, given: Given) -> Tensor:
    source = first(given)
    if source.shape is None:
        return FREE
    (start,), (end,) = node.integers.get("start", (0,)), node.integers.get("end", (source.rank,))
    numbers = source.shape[start:end]
    return Tensor((len(numbers),), numbers)


def _size(node: Node, given: Given) -> Tensor:
    return Tensor((), (None if first(given).axis is None else Size.ROWS,))


def _constant(node: Node, given: Given) -> Tensor:
    for constant in node.constants:
        return Tensor(constant.shape, constant.numbers if len(constant.shape) < 2 else None)
    if "value_int" in node.integers:
        return Tensor((), node.integers["value_int"])
    if "value_ints" in node.integers:
        numbers = node.integers["value_ints"]
        return Tensor((len(numbers),), numbers)
    return FREE


def _constant_of_shape(node: Node, given: Given) -> Tensor:
    wanted = operand(given, 0)
    if wanted.numbers is None:
        return FREE
    made = of_rows(wanted.numbers)
    value = next((each.numbers[0] for each in node.constants if each.numbers), 0.0)
    lengths = [each for each in made.dimensions if isinstance(each, int | float)]
    is_short = len(lengths) == made.rank < 2 and math.prod(lengths) <= 16
    return Tensor(made.shape, (value,) * int(math.prod(lengths)) if is_short else None)


def _cast(node: Node, given: Given) -> Tensor:
    source = first(given)
    if source.numbers is None or not _WHOLE_NUMBERS.issuperset(node.integers.get("to", ())):
        return source
    return Tensor(source.shape, tuple(int(each) if isinstance(each, float) else each for each in source.numbers))


def _same(node: Node, given: Given) -> Tensor:
    return first(given)


LAYOUT: dict[str, Rule] = {
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Pad": _pad,
    "Expand": _expand,
    "Tile": _tile,
    "Shape": _shape,
    "Size": _size,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Cast": _cast,
    "Identity": _same,
}
"""Of the operators in ONNX's own domain; their pages in https://onnx.ai/onnx/operators/ say what they do."""
