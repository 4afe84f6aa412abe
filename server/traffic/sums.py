"""Histograms and buckets that are added to in place, which is quicker than making new ones."""

from __future__ import annotations

from collections import Counter

from core.traffic.bucket import Bucket
from core.traffic.histogram import Histogram


class Sum:
    """A histogram."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.total = 0

    def add(self, histogram: Histogram) -> None:
        counts = self.counts
        for index, count in histogram.counts.items():
            counts[index] += count
        self.total += histogram.total

    def histogram(self) -> Histogram:
        return Histogram(dict(self.counts), self.total)


class BucketSum:
    """A bucket."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.durations, self.queue, self.batches = Sum(), Sum(), Sum()

    def add(self, bucket: Bucket) -> None:
        for status, count in bucket.statuses.items():
            self.statuses[status] += count
        self.durations.add(bucket.durations)
        self.queue.add(bucket.queue)
        self.batches.add(bucket.batches)

    def bucket(self) -> Bucket:
        return Bucket(dict(self.statuses), self.durations.histogram(), self.queue.histogram(), self.batches.histogram())
