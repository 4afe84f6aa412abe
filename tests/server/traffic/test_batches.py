from __future__ import annotations

from dataclasses import dataclass, field

from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import Histogram
from server.traffic.batches import BatchCounts
from worker.wire.status_page import COUNTERS, StatusPage, new_page

SERIES = Series("M", "v1")
ROWS = COUNTERS.index("rows")


@dataclass
class Worker:
    status_page: StatusPage = field(default_factory=lambda: StatusPage(new_page()))

    def run(self, *batches: int) -> None:
        for rows in batches:
            self.status_page.count(ROWS, rows)
            self.status_page.count_batch(rows)


def test_what_came_after_a_worker_was_shown_is_counted_once_and_its_examples_are_not() -> None:
    taken: list[tuple[Series, Bucket]] = []
    counts = BatchCounts(lambda series, bucket: taken.append((series, bucket)))
    worker = Worker()
    worker.run(64, 64)
    counts.watch([(SERIES, [worker])])
    worker.run(1, 3, 4, 5000)
    counts.look()
    counts.watch([(SERIES, [worker])])
    counts.look()
    assert taken == [(SERIES, Bucket(batches=Histogram({0: 1, 2: 2, 11: 1}, 5008)))]
    worker.run(2)
    counts.watch([])  # it drains
    counts.look()
    assert taken[1:] == [(SERIES, Bucket(batches=Histogram({1: 1}, 2)))]


def test_a_worker_that_ended_is_forgotten() -> None:
    taken: list[Bucket] = []
    counts = BatchCounts(lambda _, bucket: taken.append(bucket))
    worker = Worker()
    counts.watch([(SERIES, [worker])])
    worker.run(7)
    worker.status_page.close()
    counts.look()
    assert taken == []
