"""What an answer about traffic says of buckets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.traffic.bucket import Bucket
from core.traffic.histogram import DURATION_BOUNDS_NS, percentiles

_NS_PER_MS = 1e6


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of some stretch of time."""

    requests: int
    by_status: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    mean_ms: float | None
    batch_mean: float | None
    """Rows of a batch."""


class Point(Figures, frozen=True, kw_only=True):
    """Of one step."""

    at: datetime
    """Where it begins."""


def figures(bucket: Bucket) -> Figures:
    return Figures(**_figures(bucket))


def points(buckets: Sequence[Bucket], from_s: int, step_s: int) -> list[Point]:
    return [
        Point(at=datetime.fromtimestamp(from_s + step_s * number, UTC), **_figures(bucket))
        for number, bucket in enumerate(buckets)
    ]


def _figures(bucket: Bucket) -> dict[str, Any]:
    p50, p95, p99 = percentiles(bucket.durations, DURATION_BOUNDS_NS, (0.5, 0.95, 0.99))
    return {
        "requests": bucket.requests,
        "by_status": {str(status): count for status, count in sorted(bucket.statuses.items()) if count},
        "p50_ms": _ms(p50),
        "p95_ms": _ms(p95),
        "p99_ms": _ms(p99),
        "mean_ms": _ms(bucket.durations.mean),
        "batch_mean": _rounded(bucket.batches.mean),
    }


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else _rounded(nanoseconds / _NS_PER_MS)


def _rounded(value: float | None) -> float | None:
    """To what a person can read; a histogram knows no more."""
    return None if value is None else round(value, 3)
