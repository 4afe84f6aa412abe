"""What became of some requests, of one series in one stretch of time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram, merge_histograms


class Stage(StrEnum):
    """What requests are made for."""

    API = "api"
    """A client's, at the plain route."""
    CANARY = "canary"
    """Likewise, answered by a version that is going live step by step."""
    SHADOW = "shadow"
    """A copy of a client's, whose answer nobody gets."""
    VERSION = "version"
    """A client's, to a version that it named."""
    TEST = "test"
    """What Pawl asks itself: the examples, which prove a release, and forms of the pages."""
    TRAIN = "train"
    BATCH = "batch"
    """Of these two there is nothing to count yet."""


CLIENTS = frozenset({Stage.API, Stage.CANARY, Stage.VERSION})
"""Those whose answers clients got."""


class Series(msgspec.Struct, frozen=True, array_like=True):
    """What is counted by itself."""

    model: str
    version: str
    """`vN`, or `run-KEY` where it was asked for so."""
    stage: Stage = Stage.API
    commit: str = ""
    run: str = ""
    """Key of the run that left what answers."""

    @property
    def role(self) -> str:
        """As `X-Pawl-Role` and the metrics say it."""
        return "live" if self.stage is Stage.API else self.stage.value


class Bucket(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Counts that add up."""

    statuses: dict[int, int] = {}
    """Answers by HTTP status."""
    durations: Histogram = Histogram()
    """From a request's last byte to its answer, in nanoseconds."""
    queue: Histogram = Histogram()
    """From there to where a worker began with it, in nanoseconds; of those with which one did."""
    batches: Histogram = Histogram()
    """Rows of the batches that sessions ran."""

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())


def answer(status: int, took_s: float) -> Bucket:
    """One request."""
    took_ns = round(took_s * 1e9)
    return Bucket({status: 1}, Histogram({bisect_left(DURATION_BOUNDS_NS, took_ns): 1}, took_ns))


def merge(buckets: Iterable[Bucket]) -> Bucket:
    """The same requests in one bucket, whatever the order."""
    found = list(buckets)
    if len(found) == 1:
        return found[0]
    statuses: Counter[int] = Counter()
    for bucket in found:
        statuses.update(bucket.statuses)
    return Bucket(
        dict(statuses),
        merge_histograms(bucket.durations for bucket in found),
        merge_histograms(bucket.queue for bucket in found),
        merge_histograms(bucket.batches for bucket in found),
    )
