"""What charts of one history have in common: their steps, and the times that stand below and beside them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from server.pages.monitoring.clock import clock
from server.pages.monitoring.swaps import shown_swaps
from server.traffic.history.history import Stretch

_ROWS = 24
"""Rows of a table at most."""


@dataclass(frozen=True)
class Axis:
    lefts: tuple[str, ...]
    """Of each step, in a drawing that is 100 wide."""
    marks: tuple[tuple[str, str], ...]
    """Per cent from the left, and a time."""
    rows: tuple[tuple[int, str], ...]
    """Of a table: which step, and its time."""
    data: str
    """For the script: the range and its steps in seconds, and swaps."""


def axis_of(history: Stretch) -> Axis:
    length = history.ends - history.begins
    times = [point.at for point in history.points]
    swaps = [{"at": swap.at.timestamp(), "version": swap.version} for swap in shown_swaps(history.swaps)]
    begins, ends = history.begins.timestamp(), history.ends.timestamp()
    per_second = 100 / ((ends - begins) or 1.0)
    seconds = [int(at.timestamp()) for at in times]
    return Axis(
        lefts=tuple(f"{(at - begins) * per_second:.1f}" for at in seconds),
        marks=tuple(
            (f"{share}%", clock(history.begins + length * share / 100, history)) for share in (0, 25, 50, 75, 100)
        ),
        rows=tuple((place, clock(times[place], history)) for place in _spread(len(times), _ROWS)),
        data=msgspec.json.encode({"begins": begins, "ends": ends, "times": seconds, "swaps": swaps}).decode(),
    )


def _spread(count: int, most: int) -> list[int]:
    """So many places, evenly, the last among them."""
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]
