"""What is known of a tensor while a graph is followed: along which axis the rows lie, and what depends on how many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Coupled(Exception):
    """The rows are not kept apart, or can't be shown to be; why, in words."""


class Size(Enum):
    """A number that depends on how many rows there are."""

    ROWS = "rows"
    """Their number, or a multiple of it."""
    ODD = "odd"
    """In another way."""


Entry = int | float | Size | None
"""A dimension, or a number in a tensor. None: unknown, and the same for every batch."""

Shape = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where ROWS is in its shape, its slices along that axis, in equal contiguous parts, depend each on one row alone.
    Without, it is the same for every batch, but for ROWS among its numbers."""

    shape: Shape | None
    """None: of unknown rank; only of what is the same for every batch."""
    numbers: tuple[Entry, ...] | None = None
    """What it holds, where that is short, of rank one or zero, and known."""

    @property
    def axis(self) -> int | None:
        """That of the rows; None where it holds nothing of theirs."""
        return None if self.shape is None or Size.ROWS not in self.shape else self.shape.index(Size.ROWS)

    @property
    def counts(self) -> bool:
        """Whether how many rows there are shows in what it holds."""
        return self.numbers is not None and any(isinstance(each, Size) for each in self.numbers)

    @property
    def rank(self) -> int:
        """Raises Coupled where it isn't known."""
        return len(self.dimensions)

    @property
    def dimensions(self) -> Shape:
        """Raises Coupled where they aren't known."""
        if self.shape is None:
            raise Coupled("meets a tensor of unknown rank")
        return self.shape


FREE = Tensor(None)
"""Of which nothing is known but that it is the same for every batch."""


def of_rows(shape: Iterable[Entry]) -> Tensor:
    """Raises Coupled where the rows would lie along more than one axis."""
    dimensions = tuple(shape)
    if dimensions.count(Size.ROWS) > 1:
        raise Coupled("sets rows against rows")
    if Size.ODD in dimensions:
        raise Coupled("makes a tensor whose size depends on the number of rows")
    return Tensor(dimensions)


def broadcast(tensors: Iterable[Tensor]) -> Tensor:
    """The shape of an elementwise result."""
    shapes = [each.dimensions for each in tensors]
    rank = max(map(len, shapes), default=0)
    aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return of_rows(_together(dimensions) for dimensions in zip(*aligned, strict=True))


def _together(dimensions: tuple[Entry, ...]) -> Entry:
    more = {each for each in dimensions if each != 1}
    if Size.ROWS in more:
        if len(more) > 1:
            raise Coupled("sets each row against something else by its place in the batch")
        return Size.ROWS
    known = more - {None}
    return known.pop() if len(known) == 1 else (None if more else 1)


def join(one: Tensor, other: Tensor) -> Tensor:
    """What holds of both."""
    if one.axis != other.axis or ((one.counts or other.counts) and one.numbers != other.numbers):
        raise Coupled("gives rows or none, as it comes")
    if one.shape is None or other.shape is None or len(one.shape) != len(other.shape):
        if one.axis is not None:
            raise Coupled("gives tensors of differing rank")
        return FREE
    shape = tuple(a if a == b else None for a, b in zip(one.shape, other.shape, strict=True))
    return Tensor(shape, one.numbers if one.numbers == other.numbers else None)
