"""Sums of what gateways counted, by model and version: bounded, and never slipping back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from core.traffic.bucket import Bucket, Series
from server.traffic.sums import Sum

MOST_VERSIONS = 1000
"""Versions that have sums of their own; beyond it, new ones are summed up in one for each model."""
OTHER = "other"
"""What that one goes by in place of a version."""
FORGET_AFTER_S = 24 * 3600.0
"""Without a request, after which a version may make room for another.

Prometheus takes a sum that is less than before for a server that began anew, and counts all of it again; one that moves
from a version to "other" it would count twice. So a sum is never lowered, moved or forgotten while anybody may still
compare it with what it was: what has no room of its own is in "other" from its first request on.
"""


@dataclass
class Sums:
    """Since the daemon's start."""

    model: str
    version: str
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By role and status."""
    durations: Sum = field(default_factory=Sum)
    queue: Sum = field(default_factory=Sum)
    batches: Sum = field(default_factory=Sum)
    used_at: float = 0.0


class Totals:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._versions: dict[str, Sums] = {}
        """By `Model/vN`, those that answered longest ago first."""
        self._others: dict[str, Sums] = {}
        """Likewise, by model."""

    def __iter__(self) -> Iterator[Sums]:
        return chain(self._versions.values(), self._others.values())

    def add(self, series: Series, bucket: Bucket) -> None:
        sums = self._of(series.model, series.version)
        for status, count in bucket.statuses.items():
            sums.requests[series.role, status] += count
        sums.durations.add(bucket.durations)
        sums.queue.add(bucket.queue)
        sums.batches.add(bucket.batches)

    def _of(self, model: str, version: str) -> Sums:
        name = f"{model}/{version}"
        kept, key, called = self._versions, name, version
        if name not in self._versions and not self._has_room(self._versions):
            kept, key, called = self._others, model, OTHER
            self._has_room(self._others)  # models come and go too, with the years
        sums = kept.pop(key, None) or Sums(model, called)
        kept[key] = sums
        sums.used_at = self._now()
        return sums

    def _has_room(self, kept: dict[str, Sums]) -> bool:
        """Whether there is room for one more, made of one that was not used for long if need be."""
        if len(kept) < MOST_VERSIONS:
            return True
        oldest = next(iter(kept))
        if self._now() - kept[oldest].used_at < FORGET_AFTER_S:
            return False
        del kept[oldest]
        return True
