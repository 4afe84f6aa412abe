"""One chart: as a drawing, as a table, and as data for a script that draws it finer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from server.pages.monitoring.axis import Axis

Value = float | None
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
    """For the script: what it is called, and its series."""


Named = tuple[str, str, bool, tuple[Value, ...]]
"""A name, a style, whether it is an area, and values."""


def chart(
    axis: Axis,
    name: str,
    title: str,
    unit: Callable[[Value], str],
    named: Sequence[Named],
    *,
    is_wide: bool = False,
) -> Chart:
    stacked = _stacked(named)
    top = _nice(max((value for values in stacked for value in values if value is not None), default=0.0))
    lines = tuple(
        Line(label, style, is_area, values, unit(_last(values)), _path(axis.lefts, drawn, top, is_area))
        for (label, style, is_area, values), drawn in zip(named, stacked, strict=True)
    )
    return Chart(
        name=name,
        title=title,
        is_wide=is_wide,
        lines=lines,
        middle=unit(top / 2),
        top=unit(top),
        times=axis.marks,
        says=_says(title, named, unit),
        rows=tuple((time, _row(place, named, unit)) for place, time in axis.rows),
        data=_data(name, named),
    )


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


def _path(lefts: Sequence[str], values: Sequence[Value], top: float, is_area: bool) -> str:
    """A gap where nothing was measured."""
    scale = 100 / top
    pieces, is_down = [], False
    for left, value in zip(lefts, values, strict=True):
        if value is None:
            is_down = False
            continue
        at = f"{left} {100 - value * scale:.1f}"
        pieces.append(f"L{at}" if is_down else f"M{at}h0")  # which shows where it stands alone
        is_down = True
    return "".join(pieces) + (f"L{lefts[-1]} 100L{lefts[0]} 100Z" if is_area and pieces else "")


def _last(values: Sequence[Value]) -> Value:
    return values[-1] if values else None


def _says(title: str, named: Sequence[Named], unit: Callable[[Value], str]) -> str:
    parts = []
    for name, _, _, values in named:
        known = [value for value in values if value is not None]
        if known:
            parts.append(f"{name} at most {unit(max(known))}, last {unit(_last(values))}")
    return f"{title}: {'; '.join(parts) or 'nothing was measured'}"


def _row(place: int, named: Sequence[Named], unit: Callable[[Value], str]) -> tuple[str, ...]:
    return tuple(unit(values[place]) for _, _, _, values in named)


def _data(name: str, named: Sequence[Named]) -> str:
    series = [{"name": label, "area": area, "values": values} for label, _, area, values in named]
    return msgspec.json.encode({"name": name, "series": series}).decode()
