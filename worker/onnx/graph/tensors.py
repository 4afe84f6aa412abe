"""The tensors that an ONNX file holds: their shapes, what the short ones contain, and where the large ones lie."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from .protobuf import Malformed, fields, integers, text

_MOST_NUMBERS = 64
"""A shape, the axes of a reduction: no weights."""
_FORMATS = {1: "f", 6: "i", 7: "q", 9: "?", 11: "d"}
"""Of `raw_data`, by TensorProto.DataType."""
_EXTERNAL = 1


@dataclass(frozen=True, slots=True)
class Outside:
    """Where in another file a tensor lies; bytes."""

    location: str
    """Relative to the model's own folder."""
    offset: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    shape: tuple[int, ...]
    numbers: tuple[float, ...] | None = None
    """In the order in which they lie; None where they are many, or none."""
    outside: Outside | None = None


def read_constant(message: memoryview) -> tuple[str, Constant]:
    """A TensorProto, and its name."""
    name, type, external, shape, entries = "", 0, False, [], {}
    given: list[int] = []
    raw = memoryview(b"")
    for number, plain, value in fields(message):
        if number == 1:
            shape += integers(plain, value)
        elif number == 2:
            type = plain
        elif number in (5, 7) and len(value) <= 10 * _MOST_NUMBERS:
            given += integers(plain, value)
        elif number == 8:
            name = text(value)
        elif number in (4, 9, 10):
            raw = value
        elif number == 13:
            key, what = _entry(value)
            entries[key] = what
        elif number == 14:
            external = plain == _EXTERNAL
    count = math.prod(shape)
    numbers = None if external or count > _MOST_NUMBERS else _numbers(type, count, given, raw)
    return name, Constant(tuple(shape), numbers, _outside(entries) if external else None)


def _numbers(type: int, count: int, given: list[int], raw: memoryview) -> tuple[float, ...] | None:
    if len(given) == count:
        return tuple(given)
    form = f"<{count}{_FORMATS[type]}" if type in _FORMATS else ""
    return struct.unpack(form, raw) if form and struct.calcsize(form) == len(raw) else None


def _entry(message: memoryview) -> tuple[str, str]:
    """StringStringEntryProto."""
    found = {number: text(value) for number, _, value in fields(message)}
    return found.get(1, ""), found.get(2, "")


def _outside(entries: dict[str, str]) -> Outside:
    try:
        length = entries.get("length")
        return Outside(entries["location"], int(entries.get("offset", 0)), None if length is None else int(length))
    except (KeyError, ValueError):
        raise Malformed("it does not say where its external data lie") from None
