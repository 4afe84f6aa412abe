"""Charts of a history: as a drawing, as a table, and as data for a script that draws them finer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from core.traffic.bucket import Bucket
from core.traffic.histogram import QUEUE_BOUNDS_NS, percentiles
from server.pages.layout import units
from server.traffic.history.history import History, Swap
from server.traffic.history.points import Point

Value = float | None
_ROWS = 24
"""Rows of a table at most."""
_MOST_SWAPS = 30
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Line:
    """One series of a chart."""

    name: str
    style: str
    """Class of its line, or of its area where it stands on those before it."""
    is_area: bool
    values: tuple[Value, ...]
    now: str
    path: str
    """In a box of 100 by 100, the origin at the top left."""


@dataclass(frozen=True)
class SwapLine:
    """That something else went live."""

    left: str
    """Per cent from the left."""
    model: str
    version: str
    at: str


@dataclass(frozen=True)
class Chart:
    name: str
    title: str
    is_wide: bool
    lines: tuple[Line, ...]
    middle: str
    top: str
    """What the two lines of the grid mean."""
    times: tuple[tuple[str, str], ...]
    """Per cent from the left, and a time."""
    says: str
    """What it found, in words."""
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    data: str
    """For the script: times in seconds, series, unit and swaps."""


def charts(history: History, buckets: Sequence[Bucket] = ()) -> tuple[Chart, ...]:
    """`buckets`: what the points were made of, from which more can be told."""
    return (
        chart(history, "requests", "Requests a minute", units.count, _classes(history), is_wide=True),
        chart(history, "errors", "Errors, share of answers", _percent, [("5xx", "l red", False, _errors(history))]),
        chart(history, "latency", "Latency", units.milliseconds, _latency(history)),
        chart(
            history,
            "batches",
            "Rows of a batch",
            units.count,
            [("mean", "l", False, tuple(point.batch_mean for point in history.points))],
        ),
        *(
            (chart(history, "queue", "Wait for a worker", units.milliseconds, _waits(history, buckets)),)
            if buckets
            else ()
        ),
    )


def whole_steps(history: History, now: datetime) -> History:
    """Without the step that goes on, which would look like a fall; unless it is the only one."""
    step = timedelta(seconds=history.step_s)
    points = [point for point in history.points if point.at + step <= now]
    return msgspec.structs.replace(history, points=points) if points else history


def swap_lines(history: History) -> tuple[SwapLine, ...]:
    """One for each swap that a page can show."""
    begins, length = history.begins.timestamp(), (history.ends - history.begins).total_seconds() or 1.0
    return tuple(
        SwapLine(
            f"{(swap.at.timestamp() - begins) / length * 100:.1f}%",
            swap.model,
            swap.version,
            _clock(swap.at, history),
        )
        for swap in _shown(history.swaps)
    )


Named = tuple[str, str, bool, tuple[Value, ...]]
"""A name, a style, whether it is an area, and values."""


def chart(
    history: History,
    name: str,
    title: str,
    unit: Callable[[Value], str],
    named: Sequence[Named],
    *,
    is_wide: bool = False,
) -> Chart:
    most = _most(named)
    top = _nice(most)
    stacked = _stacked(named)
    lines = tuple(
        Line(label, style, is_area, values, unit(_last(values)), _path(drawn, top, is_area))
        for (label, style, is_area, values), drawn in zip(named, stacked, strict=True)
    )
    return Chart(
        name=name,
        title=title,
        is_wide=is_wide,
        lines=lines,
        middle=unit(top / 2),
        top=unit(top),
        times=_times(history),
        says=_says(title, named, unit),
        rows=_rows(history, named, unit),
        data=_data(history, name, named),
    )


def _classes(history: History) -> list[Named]:
    """Answers a minute, by the first digit of their status; the worst lies on top."""
    minutes = history.step_s / 60

    def rate(digit: str) -> tuple[Value, ...]:
        return tuple(_of_class(point, digit) / minutes for point in history.points)

    return [("2xx", "a", True, rate("2")), ("4xx", "a amber", True, rate("4")), ("5xx", "a red", True, rate("5"))]


def _of_class(point: Point, digit: str) -> int:
    return sum(count for status, count in point.by_status.items() if status.startswith(digit))


def _errors(history: History) -> tuple[Value, ...]:
    return tuple(_of_class(point, "5") / point.requests if point.requests else None for point in history.points)


def _latency(history: History) -> list[Named]:
    return [
        ("p50", "l thin", False, tuple(point.p50_ms for point in history.points)),
        ("p95", "l thick", False, tuple(point.p95_ms for point in history.points)),
        ("p99", "l dash", False, tuple(point.p99_ms for point in history.points)),
    ]


def _waits(history: History, buckets: Sequence[Bucket]) -> list[Named]:
    """The buckets begin with those of the points; the step that goes on may be one more."""
    found = [percentiles(bucket.queue, QUEUE_BOUNDS_NS, (0.5, 0.95)) for bucket in buckets[: len(history.points)]]
    columns = zip(*found, strict=True) if found else ((), ())
    p50, p95 = (tuple(None if value is None else value / 1e6 for value in column) for column in columns)
    return [("p50", "l thin", False, p50), ("p95", "l thick", False, p95)]


def _percent(value: Value) -> str:
    return units.DASH if value is None else units.share(value, 1)


def _most(named: Sequence[Named]) -> float:
    return max((value for series in _stacked(named) for value in series if value is not None), default=0.0)


def _stacked(named: Sequence[Named]) -> list[tuple[Value, ...]]:
    """What is drawn: areas stand on those before them."""
    found: list[tuple[Value, ...]] = []
    below: tuple[Value, ...] | None = None
    for _, _, is_area, values in named:
        if is_area and below is not None:
            values = tuple((value or 0.0) + (under or 0.0) for value, under in zip(values, below, strict=True))
        below = values if is_area else below
        found.append(values)
    return found


def _nice(most: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 1.0
    while power > most:
        power /= 10
    while power * 10 < most:
        power *= 10
    return next(power * nice for nice in _NICE if power * nice >= most)


def _path(values: Sequence[Value], top: float, is_area: bool) -> str:
    """A gap where nothing was measured."""
    step = 100 / max(len(values) - 1, 1)
    pieces, is_down = [], False
    for place, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        at = f"{place * step:.1f} {100 - value / top * 100:.1f}"
        pieces.append(f"L{at}" if is_down else f"M{at}h0")  # which shows where it stands alone
        is_down = True
    return "".join(pieces) + ("L100 100L0 100Z" if is_area and pieces else "")


def _last(values: Sequence[Value]) -> Value:
    return values[-1] if values else None


def _says(title: str, named: Sequence[Named], unit: Callable[[Value], str]) -> str:
    parts = []
    for name, _, _, values in named:
        known = [value for value in values if value is not None]
        if known:
            parts.append(f"{name} at most {unit(max(known))}, last {unit(_last(values))}")
    return f"{title}: {'; '.join(parts) or 'nothing was measured'}"


def _rows(
    history: History, named: Sequence[Named], unit: Callable[[Value], str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    points = history.points
    places = _spread(len(points), _ROWS)
    return tuple(
        (_clock(points[at].at, history), tuple(unit(values[at]) for _, _, _, values in named)) for at in places
    )


def _spread(count: int, most: int) -> list[int]:
    """So many places, evenly, the last among them."""
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]


def _times(history: History) -> tuple[tuple[str, str], ...]:
    length = history.ends - history.begins
    return tuple(
        (f"{share}%", _clock(history.begins + length * share / 100, history)) for share in (0, 25, 50, 75, 100)
    )


def _clock(at: datetime, history: History) -> str:
    days = (history.ends - history.begins).total_seconds() / 86_400
    return f"{at:%H:%M}" if days <= 1.5 else f"{at.day} {at:%b %H:%M}" if days <= 8 else f"{at.day} {at:%b}"


def _shown(swaps: Sequence[Swap]) -> Sequence[Swap]:
    """Without those that a restart brought, which changed nothing; more than anybody could read are shown as none."""
    changed = [swap for swap in swaps if swap.cause != "restart"]
    return changed if len(changed) <= _MOST_SWAPS else ()


def _data(history: History, name: str, named: Sequence[Named]) -> str:
    return msgspec.json.encode(
        {
            "name": name,
            "times": [int(point.at.timestamp()) for point in history.points],
            "step": history.step_s,
            "series": [{"name": label, "area": area, "values": values} for label, _, area, values in named],
            "swaps": [{"at": swap.at.timestamp(), "version": swap.version} for swap in _shown(history.swaps)],
        }
    ).decode()
