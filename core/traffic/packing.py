"""Buckets as few bytes: whole numbers of variable length (LEB128, as Protocol Buffers write them)."""

from __future__ import annotations

from collections.abc import Iterator

from core.traffic.bucket import Bucket
from core.traffic.histogram import Histogram

_FORM = 1
"""The first byte: how the rest is written."""


class NotPacked(ValueError):
    """These bytes are no bucket, or one of a newer Pawl."""


def pack(bucket: Bucket) -> bytes:
    packed = bytearray([_FORM])
    for histogram in (bucket.durations, bucket.queue, bucket.batches):
        _write(packed, histogram.total)
        _write_counts(packed, histogram.counts)
    _write_counts(packed, bucket.statuses)
    return bytes(packed)


def unpack(packed: bytes) -> Bucket:
    """Raises NotPacked."""
    if not packed or packed[0] != _FORM:
        raise NotPacked("a bucket of traffic is in a form that this Pawl does not know")
    numbers = _numbers(packed[1:])
    try:
        durations, queue, batches = (_read_histogram(numbers) for _ in range(3))
        return Bucket(_read_counts(numbers), durations, queue, batches)
    except StopIteration:
        raise NotPacked("a bucket of traffic breaks off") from None


def _write_counts(packed: bytearray, counts: dict[int, int]) -> None:
    """Each key as its distance from the one before it."""
    items = sorted((key, count) for key, count in counts.items() if count)
    _write(packed, len(items))
    last = 0
    for key, count in items:
        _write(packed, key - last)
        _write(packed, count)
        last = key


def _read_counts(numbers: Iterator[int]) -> dict[int, int]:
    counts, key = {}, 0
    for _ in range(next(numbers)):
        key += next(numbers)
        counts[key] = next(numbers)
    return counts


def _read_histogram(numbers: Iterator[int]) -> Histogram:
    total = next(numbers)
    return Histogram(_read_counts(numbers), total)


def _write(packed: bytearray, number: int) -> None:
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
