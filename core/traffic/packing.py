"""Buckets as few bytes: whole numbers of variable length (LEB128, as Protocol Buffers write them)."""

from __future__ import annotations

from itertools import accumulate

from core.traffic.bucket import Bucket
from core.traffic.histogram import Histogram

_FORM = 1
"""The first byte: how the rest is written."""


class NotPacked(ValueError):
    """These bytes are not a bucket, or one of a newer Pawl."""


def pack(bucket: Bucket) -> bytes:
    packed = bytearray([_FORM])
    for histogram in (bucket.durations, bucket.queue, bucket.batches):
        _write_histogram(packed, histogram)
    statuses = sorted((status, count) for status, count in bucket.statuses.items() if count)
    _write(packed, len(statuses))
    last = 0
    for status, count in statuses:
        _write(packed, status - last)
        _write(packed, count)
        last = status
    return bytes(packed)


def unpack(packed: bytes) -> Bucket:
    """Raises NotPacked."""
    if not packed or packed[0] != _FORM:
        raise NotPacked("a bucket of traffic is in a form that this Pawl does not know")
    numbers = _numbers(packed)
    try:
        durations, place = _read_histogram(numbers, 1)
        queue, place = _read_histogram(numbers, place)
        batches, place = _read_histogram(numbers, place)
        length, *rest = numbers[place:]
        statuses = dict(zip(accumulate(rest[::2]), rest[1::2], strict=True))
        if len(statuses) != length:
            raise IndexError
    except (IndexError, ValueError):
        raise NotPacked("a bucket of traffic breaks off") from None
    return Bucket(statuses, durations, queue, batches)


def _write_histogram(packed: bytearray, histogram: Histogram) -> None:
    """Its sum, and its counts from the first that there is to the last: few between them are zero."""
    _write(packed, histogram.total)
    indices = [index for index, count in histogram.counts.items() if count]
    first, end = (min(indices), max(indices) + 1) if indices else (0, 0)
    _write(packed, end - first)
    _write(packed, first)
    for index in range(first, end):
        _write(packed, histogram.counts.get(index, 0))


def _read_histogram(numbers: list[int], place: int) -> tuple[Histogram, int]:
    """And the place of what follows. Raises IndexError."""
    total, length, first = numbers[place], numbers[place + 1], numbers[place + 2]
    begins = place + 3
    counts = numbers[begins : begins + length]
    if len(counts) != length:
        raise IndexError
    return Histogram({first + n: count for n, count in enumerate(counts) if count}, total), begins + length


def _write(packed: bytearray, number: int) -> None:
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)


def _numbers(packed: bytes) -> list[int]:
    """A number that breaks off is left out."""
    numbers = []
    number = shift = 0
    for byte in packed:
        if byte < 0x80:
            numbers.append(number | byte << shift)
            number = shift = 0
        else:
            number |= (byte & 0x7F) << shift
            shift += 7
    return numbers
