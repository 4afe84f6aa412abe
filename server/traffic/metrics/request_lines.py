"""What is counted of requests, in Prometheus's text format.

Written here and not by its library, which takes some 10 µs for each line: with 200 models there are ten thousand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from core.traffic.histogram import DURATION_BOUNDS_NS, QUEUE_BOUNDS_NS, ROW_BOUNDS
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
        self.labels = (*(str(float(each)) for each in shown), "+Inf")
        """The values of `le`."""
        ends = [bounds.index(round(each * unit)) for each in shown]
        self._places = [bisect_left(ends, index) for index in range(len(bounds))]
        """By the index in the finer histogram; what is above its last bound is in the last place."""

    def cumulative(self, counts: Mapping[int, int]) -> list[int]:
        """How many there are up to each bound."""
        sums, last = [0] * len(self.labels), len(self.labels) - 1
        for index, count in counts.items():
            sums[self._places[index] if index < len(self._places) else last] += count
        return list(accumulate(sums))


DURATIONS = Shown(DURATION_BOUNDS_NS, _DURATIONS_S, _NS)
QUEUE = Shown(QUEUE_BOUNDS_NS, _QUEUE_S, _NS)
ROWS = Shown(ROW_BOUNDS, ROW_BOUNDS, 1)


def request_lines(totals: Iterable[Sums]) -> bytes:
    found = [(sums, f'model="{_escaped(sums.model)}",version="{_escaped(sums.version)}"') for sums in totals]
    took, waited = "From a request's last byte to its answer.", "From a request's last byte to where a worker began it."
    lines = [
        *_requests(found),
        *_histogram("pawl_request_duration_seconds", took, found, DURATIONS, lambda sums: sums.durations),
        *_histogram("pawl_queue_seconds", waited, found, QUEUE, lambda sums: sums.queue),
        *_histogram(
            "pawl_batch_rows", "Rows of the batches that ONNX sessions ran.", found, ROWS, lambda sums: sums.batches
        ),
    ]
    return "".join(lines).encode()


_Labelled = list[tuple[Sums, str]]
"""With their labels, as they are written."""


def _requests(found: _Labelled) -> Iterator[str]:
    yield "# HELP pawl_requests_total Requests answered.\n# TYPE pawl_requests_total counter\n"
    for sums, labels in found:
        for (role, status), count in sums.requests.items():
            yield f'pawl_requests_total{{{labels},role="{role}",status="{status}"}} {count}\n'


def _histogram(name: str, says: str, found: _Labelled, shown: Shown, of: Callable[[Sums], Sum]) -> Iterator[str]:
    yield f"# HELP {name} {says}\n# TYPE {name} histogram\n"
    for sums, labels in found:
        histogram = of(sums)
        if histogram.counts:
            counts = shown.cumulative(histogram.counts)
            for bound, count in zip(shown.labels, counts, strict=True):
                yield f'{name}_bucket{{{labels},le="{bound}"}} {count}\n'
            yield f"{name}_sum{{{labels}}} {histogram.total / shown.unit}\n{name}_count{{{labels}}} {counts[-1]}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
