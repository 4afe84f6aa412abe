"""What is told of the buckets of one step, remembered for those that are written down."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from core.traffic.bucket import Bucket, merge
from core.traffic.histogram import DURATION_BOUNDS_NS, QUEUE_BOUNDS_NS, percentiles
from core.traffic.packing import unpack

_REMEMBERED = 4_000
"""Steps, in some 5 MB: ten ranges that somebody looks at again."""
_NS_PER_MS = 1e6


class Wait(NamedTuple):
    """How long requests waited for a worker, in milliseconds."""

    p50_ms: float | None
    p95_ms: float | None


class Digest(NamedTuple):
    figures: dict[str, Any]
    """The fields of `Figures`."""
    waited: Wait


@dataclass(frozen=True)
class StepParts:
    """The buckets of one step."""

    packed: tuple[bytes, ...]
    """As they lie in the table."""
    more: tuple[Bucket, ...]
    """That are not written down yet."""

    def bucket(self) -> Bucket:
        return merge((*map(unpack, self.packed), *self.more))

    def digest(self) -> Digest:
        return digest_of(self.bucket()) if self.more else _digest_of_packed(self.packed)


def digest_of(bucket: Bucket) -> Digest:
    p50, p95, p99 = percentiles(bucket.durations, DURATION_BOUNDS_NS, (0.5, 0.95, 0.99))
    waited = percentiles(bucket.queue, QUEUE_BOUNDS_NS, (0.5, 0.95))
    figures = {
        "requests": bucket.requests,
        "by_status": {str(status): count for status, count in sorted(bucket.statuses.items()) if count},
        "p50_ms": _ms(p50),
        "p95_ms": _ms(p95),
        "p99_ms": _ms(p99),
        "mean_ms": _ms(bucket.durations.mean),
        "batch_mean": _rounded(bucket.batches.mean),
    }
    return Digest(figures, Wait(*map(_ms, waited)))


@lru_cache(maxsize=_REMEMBERED)
def _digest_of_packed(packed: tuple[bytes, ...]) -> Digest:
    """Whatever is written down later makes other bytes, so that nothing that is remembered is ever old."""
    return digest_of(merge(map(unpack, packed)))


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else _rounded(nanoseconds / _NS_PER_MS)


def _rounded(value: float | None) -> float | None:
    """To what a person can read; a histogram knows no more."""
    return None if value is None else round(value, 3)
