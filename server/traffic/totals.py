"""Sums of what gateways counted, by model and version: bounded, and never slipping back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from gateway.messages import DURATION_BUCKETS_S, Durations

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
    requests: Counter[int] = field(default_factory=Counter)
    """By status."""
    buckets: list[int] = field(default_factory=lambda: [0] * (len(DURATION_BUCKETS_S) + 1))
    sum_s: float = 0.0
    """Durations, as in `Durations`."""
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

    def add(self, name: str, requests: Mapping[int, int], durations: Durations | None) -> None:
        """`name`: `Model/vN`."""
        sums = self._of(name)
        sums.requests.update(requests)
        if durations is not None:
            sums.buckets = [one + other for one, other in zip(sums.buckets, durations.buckets, strict=True)]
            sums.sum_s += durations.sum_s

    def _of(self, name: str) -> Sums:
        model, _, version = name.partition("/")
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
