"""What an answer about traffic says of buckets."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Figures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of some stretch of time."""

    requests: int
    by_status: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    mean_ms: float | None
    batch_mean: float | None
    """Rows of a batch."""


class Point(Figures, frozen=True, kw_only=True, gc=False):
    """Of one step."""

    at: datetime
    """Where it begins."""
