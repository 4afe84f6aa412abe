"""Reading protobuf's wire format: just enough to walk a message and skip what isn't wanted.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


class Malformed(Exception):
    """These bytes are not a protobuf message."""


Field = tuple[int, int, memoryview]
"""A field's number, its value where it is a varint (else 0), its bytes where it has a length (else none). Of a float,
only that it is there."""

_NOTHING = memoryview(b"")


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in order. What is skipped is never touched, so a gigabyte of weights costs nothing."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value, _NOTHING
        elif kind == _BYTES:
            length, at = _varint(message, at)
            yield number, 0, message[at : at + length]
            at += length
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
            yield number, 0, _NOTHING
        else:
            raise Malformed(f"there is no wire type {kind}")
    if at != end:
        raise Malformed("the message ends within a field")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    result = 0
    try:
        for index in range(_MAX_VARINT_BYTES):
            byte = message[at + index]
            result |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return result, at + index + 1
    except IndexError:
        raise Malformed("the message ends within a number") from None
    raise Malformed("a number is too long")


def text(value: memoryview) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise Malformed("a name is not UTF-8") from None


def signed(value: int) -> int:
    """An int64, which the wire carries in two's complement."""
    return value - (1 << 64) if value >> 63 else value


def integers(value: int, packed: memoryview) -> list[int]:
    """A repeated int64's elements, which come one by one or packed."""
    if not packed:
        return [signed(value)]
    found, at = [], 0
    while at < len(packed):
        element, at = _varint(packed, at)
        found.append(signed(element))
    return found
