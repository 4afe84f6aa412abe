"""Buckets as few bytes: whole numbers of variable length (LEB128, as Protocol Buffers write them)."""

from __future__ import annotations

from itertools import accumulate

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
    numbers = _numbers(packed)
    try:
        durations, place = _read_histogram(numbers, 1)
        queue, place = _read_histogram(numbers, place)
        batches, place = _read_histogram(numbers, place)
        statuses, _ = _read_counts(numbers, place)
    except (IndexError, ValueError):
        raise NotPacked("a bucket of traffic breaks off") from None
    return Bucket(statuses, durations, queue, batches)


def _write_counts(packed: bytearray, counts: dict[int, int]) -> None:
    """Each key as its distance from the one before it."""
    items = sorted((key, count) for key, count in counts.items() if count)
    _write(packed, len(items))
    last = 0
    for key, count in items:
        _write(packed, key - last)
        _write(packed, count)
        last = key


def _read_counts(numbers: list[int], place: int) -> tuple[dict[int, int], int]:
    """And the place of what follows. Raises IndexError and ValueError."""
    begins = place + 1
    ends = begins + 2 * numbers[place]
    counts = numbers[begins + 1 : ends : 2]
    if len(counts) != numbers[place]:
        raise IndexError
    return dict(zip(accumulate(numbers[begins:ends:2]), counts, strict=True)), ends


def _read_histogram(numbers: list[int], place: int) -> tuple[Histogram, int]:
    counts, ends = _read_counts(numbers, place + 1)
    return Histogram(counts, numbers[place]), ends


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
