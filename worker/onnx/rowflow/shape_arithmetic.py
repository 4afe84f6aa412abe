"""Arithmetic with the numbers of short tensors: shapes that a graph computes, of which some count the rows."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from .values import Coupled, Entry, Size

_KNOWN: dict[str, Callable[[float, float], float]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Equal": lambda a, b: float(a == b),
    "Greater": lambda a, b: float(a > b),
    "Less": lambda a, b: float(a < b),
    "Max": max,
    "Min": min,
    "And": lambda a, b: float(bool(a and b)),
    "Or": lambda a, b: float(bool(a or b)),
}


def compute(op: str, operands: Sequence[tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """Element by element; an operand of one element goes with all. Raises Coupled where lengths can't go together."""
    length = max(map(len, operands))
    if any(len(each) not in (1, length) for each in operands):
        raise Coupled("computes with shapes of differing length")
    return tuple(_entry(op, [each[index % len(each)] for each in operands]) for index in range(length))


def _entry(op: str, given: list[Entry]) -> Entry:
    if op == "Where" and len(given) == 3:
        return _picked(*given)
    if len(given) == 2:
        one, other = given
        if isinstance(one, int | float) and isinstance(other, int | float):
            known = _KNOWN.get(op)
            return None if known is None else known(one, other)
        if Size.ROWS in given and Size.ODD not in given:
            return _with_rows(op, other if one is Size.ROWS else one)
    return Size.ODD if any(isinstance(each, Size) for each in given) else None


def _picked(condition: Entry, one: Entry, other: Entry) -> Entry:
    if isinstance(condition, int | float):
        return one if condition else other
    if condition is None and one is other:
        return one
    return Size.ODD if any(isinstance(each, Size) for each in (condition, one, other)) else None


def _with_rows(op: str, other: Entry) -> Entry:
    """The number of rows, which is at least one, and something else."""
    if isinstance(other, int | float):
        if op == "Mul" and other >= 1 and other == int(other):
            return Size.ROWS
        if op == "Equal" and other < 1:  # a -1 or a 0 that stands for another dimension
            return 0.0
        if op == "Max" and other <= 1:
            return Size.ROWS
    return Size.ODD
