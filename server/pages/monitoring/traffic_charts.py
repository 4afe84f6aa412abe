"""Charts of what clients got: requests, errors, latency, batches, waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from server.pages.layout import units
from server.pages.monitoring.axis import Axis, axis_of
from server.pages.monitoring.chart import Chart, Named, Value, chart
from server.traffic.history.digests import Wait
from server.traffic.history.history import Stretch
from server.traffic.history.points import Point

Classes = Sequence[Mapping[str, int]]
"""Answers of each point, by the first digit of their status."""


def traffic_charts(history: Stretch, waits: Sequence[Wait] = (), axis: Axis | None = None) -> tuple[Chart, ...]:
    """`waits`: of each point; there may be more. `axis`: if it is made already."""
    axis = axis or axis_of(history)
    classes = [_by_class(point) for point in history.points]
    rows = tuple(point.batch_mean for point in history.points)
    return (
        chart(axis, "requests", "Requests a minute", units.count, _rates(history, classes), is_wide=True),
        chart(
            axis,
            "errors",
            "Errors, share of answers",
            _percent,
            [("5xx", "l red", False, _errors(history, classes))],
        ),
        chart(axis, "latency", "Latency", units.milliseconds, _latency(history)),
        *_if_measured(axis, "batches", "Rows of a batch", units.count, [("mean", "l", False, rows)]),
        *_if_measured(axis, "queue", "Wait for a worker", units.milliseconds, _waits(waits[: len(rows)])),
    )


def whole_steps(history: Stretch, now: datetime) -> Stretch:
    """Without the step that goes on, which would look like a fall; unless it is the only one."""
    step = timedelta(seconds=history.step_s)
    points = [point for point in history.points if point.at + step <= now]
    return msgspec.structs.replace(history, points=points) if points else history


def _if_measured(
    axis: Axis, name: str, title: str, unit: Callable[[Value], str], named: Sequence[Named]
) -> Iterator[Chart]:
    """What only some models have, no other's page shows as an empty chart."""
    if any(value is not None for _, _, _, values in named for value in values):
        yield chart(axis, name, title, unit, named)


def _by_class(point: Point) -> Mapping[str, int]:
    """Answers by the first digit of their status."""
    found = dict.fromkeys("245", 0)
    for status, count in point.by_status.items():
        found[status[0]] = found.get(status[0], 0) + count
    return found


def _rates(history: Stretch, classes: Classes) -> list[Named]:
    """Answers a minute; the worst lies on top."""
    minutes = history.step_s / 60

    def rate(digit: str) -> tuple[Value, ...]:
        return tuple(round(one[digit] / minutes, 4) for one in classes)

    return [("2xx", "a", True, rate("2")), ("4xx", "a amber", True, rate("4")), ("5xx", "a red", True, rate("5"))]


def _errors(history: Stretch, classes: Classes) -> tuple[Value, ...]:
    points = zip(history.points, classes, strict=True)
    return tuple(round(one["5"] / point.requests, 6) if point.requests else None for point, one in points)


def _latency(history: Stretch) -> list[Named]:
    return [
        ("p50", "l thin", False, tuple(point.p50_ms for point in history.points)),
        ("p95", "l thick", False, tuple(point.p95_ms for point in history.points)),
        ("p99", "l dash", False, tuple(point.p99_ms for point in history.points)),
    ]


def _waits(waits: Sequence[Wait]) -> list[Named]:
    return [
        ("p50", "l thin", False, tuple(wait.p50_ms for wait in waits)),
        ("p95", "l thick", False, tuple(wait.p95_ms for wait in waits)),
    ]


def _percent(value: Value) -> str:
    return units.DASH if value is None else units.share(value, 1)
