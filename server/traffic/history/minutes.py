"""The minute that goes on, and those that are not written down yet: bounded, and nothing of them is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from core.traffic.bucket import Bucket, Series, merge
from core.traffic.resolution import FINEST, RESOLUTIONS, Resolution
from server.traffic.sums import BucketSum

MOST_WAITING = 20_000
"""Buckets that wait to be written: an hour and a half of 200 busy models, in some 60 MB."""


@dataclass(frozen=True)
class Batch:
    """Buckets that begin at one time, to be written together."""

    at_s: int
    resolution: Resolution
    buckets: Mapping[Series, Bucket]
    key: str = field(default_factory=lambda: uuid4().hex)
    """Makes writing it twice writing it once."""


class Minutes:
    """Closed by the clock that it is told; for one thread."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._current: defaultdict[Series, BucketSum] = defaultdict(BucketSum)
        self._current_at = 0
        self._waiting: list[Batch] = []
        self._tried: Batch | None = None
        """Of which nobody knows whether it was written."""

    def add(self, series: Series, bucket: Bucket, now_s: float) -> None:
        self.close(now_s)
        self._current[series].add(bucket)

    def close(self, now_s: float, *, early: bool = False) -> None:
        """Begin a new minute if that one is over; `early`: also where it isn't."""
        at = int(now_s) // FINEST.step_s * FINEST.step_s
        if at == self._current_at and not early:
            return
        if self._current:
            self._waiting.append(Batch(self._current_at, FINEST, self._buckets()))
            self._current.clear()
            self._coarsen()
        self._current_at = at

    def put_back(self, batches: Iterable[Batch]) -> None:
        """What an earlier daemon left."""
        self._waiting[:0] = batches

    def next(self) -> Batch | None:
        """What is to be written next. Until it is `done`, it may have been written or not."""
        if self._tried is None and self._waiting:
            self._tried = self._waiting.pop(0)
        return self._tried

    def done(self) -> None:
        """What `next` gave is written."""
        self._tried = None

    def unwritten(self) -> Iterator[Batch]:
        """All that may not be written yet, the minute that goes on among it."""
        if self._tried is not None:
            yield self._tried
        yield from self._waiting
        if self._current:
            yield Batch(self._current_at, FINEST, self._buckets())

    def _buckets(self) -> dict[Series, Bucket]:
        return with_sums({series: found.bucket() for series, found in self._current.items()})

    def _coarsen(self) -> None:
        """Where too much waits, put the oldest together, in ever longer buckets."""
        for longer in RESOLUTIONS[1:]:
            if sum(len(batch.buckets) for batch in self._waiting) <= self._most:
                return
            self._waiting = put_together(self._waiting, longer)


def with_sums(buckets: Mapping[Series, Bucket]) -> dict[Series, Bucket]:
    """And for each stage the sum of all models."""
    stages = {series.stage for series in buckets}
    return {
        **buckets,
        **{
            Series("", "", stage): merge(bucket for series, bucket in buckets.items() if series.stage is stage)
            for stage in stages
        },
    }


def put_together(batches: Iterable[Batch], longer: Resolution) -> list[Batch]:
    """The same in buckets of at least that length."""
    grouped: defaultdict[tuple[int, Resolution], list[Batch]] = defaultdict(list)
    for batch in batches:
        resolution = max(batch.resolution, longer, key=lambda each: each.step_s)
        grouped[batch.at_s // resolution.step_s * resolution.step_s, resolution].append(batch)
    return [
        group[0] if len(group) == 1 and group[0].resolution == resolution else Batch(at, resolution, _merged(group))
        for (at, resolution), group in grouped.items()
    ]


def _merged(group: Iterable[Batch]) -> dict[Series, Bucket]:
    found: defaultdict[Series, list[Bucket]] = defaultdict(list)
    for batch in group:
        for series, bucket in batch.buckets.items():
            found[series].append(bucket)
    return {series: merge(buckets) for series, buckets in found.items()}
