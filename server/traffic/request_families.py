"""What is counted of requests, as families of metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from core.traffic.histogram import DURATION_BOUNDS_NS, ROW_BOUNDS
from server.traffic.sums import Sum
from server.traffic.totals import Sums

_NS = 1e9
_DURATIONS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_QUEUE_S = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Fewer than there are: each is a line for every version."""


class Shown:
    """Which bounds of a finer histogram are shown, and in which unit."""

    def __init__(self, bounds: Sequence[int], shown: Sequence[float], unit: float) -> None:
        self.unit = unit
        self._labels = (*(str(float(each)) for each in shown), "+Inf")
        ends = [bounds.index(round(each * unit)) for each in shown]
        self._places = [
            next((n for n, end in enumerate(ends) if index <= end), len(ends)) for index in range(len(bounds))
        ]
        """By the index in the finer histogram; what is above its last bound is in the last place."""

    def cumulative(self, counts: Mapping[int, int]) -> list[tuple[str, float]]:
        """As an exposition has it: how many there are up to each bound."""
        sums, last = [0] * len(self._labels), len(self._labels) - 1
        for index, count in counts.items():
            sums[self._places[index] if index < len(self._places) else last] += count
        return list(zip(self._labels, map(float, accumulate(sums)), strict=True))


DURATIONS = Shown(DURATION_BOUNDS_NS, _DURATIONS_S, _NS)
QUEUE = Shown(DURATION_BOUNDS_NS, _QUEUE_S, _NS)
ROWS = Shown(ROW_BOUNDS, ROW_BOUNDS, 1)


def request_families(totals: Iterable[Sums]) -> Iterator[Metric]:
    found = list(totals)
    yield _requests(found)
    yield _histogram(
        "pawl_request_duration_seconds", "From a request's last byte to its answer.", found, DURATIONS,
        lambda sums: sums.durations,
    )  # fmt: skip
    yield _histogram(
        "pawl_queue_seconds", "From a request's last byte to where a worker began with it.", found, QUEUE,
        lambda sums: sums.queue,
    )  # fmt: skip
    yield _histogram(
        "pawl_batch_rows", "Rows of the batches that ONNX sessions ran.", found, ROWS, lambda sums: sums.batches
    )


def _requests(totals: list[Sums]) -> Metric:
    family = CounterMetricFamily("pawl_requests", "Requests answered.", labels=["model", "version", "role", "status"])
    for sums in totals:
        for (role, status), count in sums.requests.items():
            family.add_metric([sums.model, sums.version, role, str(status)], count)
    return family


def _histogram(name: str, says: str, totals: list[Sums], shown: Shown, of: Callable[[Sums], Sum]) -> Metric:
    family = HistogramMetricFamily(name, says, labels=["model", "version"])
    for sums in totals:
        if counts := of(sums).counts:
            buckets, total = shown.cumulative(counts), of(sums).total / shown.unit
            family.add_metric([sums.model, sums.version], buckets=buckets, sum_value=total)
    return family
