"""How many rows sessions' batches have, as workers' status pages tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from core.task import every, spawn
from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import Histogram
from worker.wire.status_page import COUNTERS, StatusPage

_LOOK_S = 1.0
_ROWS = COUNTERS[2]


class Worker(Protocol):
    @property
    def status_page(self) -> StatusPage: ...


class BatchCounts:
    """A part of the daemon: compares each page with what it was at the last look."""

    def __init__(self, take: Callable[[Series, Bucket], None]) -> None:
        self._take = take
        self._seen: dict[StatusPage, tuple[Series, Histogram]] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, served: Iterable[tuple[Series, Sequence[Worker]]]) -> None:
        """Workers that requests are about to go to, and as what they are counted.

        What the page of a new one says came of the examples. Those that are no longer named are draining, and are
        watched until they end.
        """
        for series, workers in served:
            for page in (worker.status_page for worker in workers):
                _, before = self._seen.get(page) or (series, _read(page))
                self._seen[page] = series, before

    async def start(self) -> None:
        self._task = spawn(every(_LOOK_S, self._look_soon, "look at batches"), "look at batches")

    async def stop(self) -> None:
        """Once no more requests come, and before the workers end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.look()

    def look(self) -> None:
        """Take in what came since the last look."""
        for page, (series, before) in list(self._seen.items()):
            if page.is_closed:
                del self._seen[page]
            else:
                self._compare(page, series, before)

    async def _look_soon(self) -> None:
        self.look()

    def _compare(self, page: StatusPage, series: Series, before: Histogram) -> None:
        now = _read(page)
        if now != before:
            came = {size: count - before.counts.get(size, 0) for size, count in now.counts.items()}
            more = {size: count for size, count in came.items() if count}
            self._take(series, Bucket(batches=Histogram(more, now.total - before.total)))
            self._seen[page] = series, now


def _read(page: StatusPage) -> Histogram:
    sizes = page.batch_sizes()
    return Histogram({size: count for size, count in enumerate(sizes) if count}, page.counters()[_ROWS])
