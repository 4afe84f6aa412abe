"""A day of requests as a small drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from server.pages.facts import DayTraffic
from server.pages.layout.units import count

WIDTH, HEIGHT, _BOTTOM, _TOP = 112, 24, 22, 3


@dataclass(frozen=True)
class Sparkline:
    line: str
    """Path of the line; the area below it ends with `L112 24L0 24Z`."""
    swaps: tuple[int, ...]
    """Where something else went live, from the left."""
    label: str
    """What it shows, in words."""


@lru_cache(maxsize=2000)  # a day is shown many times before it is read anew
def sparkline(day: DayTraffic | None) -> Sparkline:
    rates = list(day.rates) if day is not None else []
    most = max(rates, default=0.0)
    if day is None or not most:
        return Sparkline(f"M0 {_BOTTOM}L{WIDTH} {_BOTTOM}", _swaps(day), "No requests in 24 hours")
    step = WIDTH / max(len(rates) - 1, 1)
    points = [f"{place * step:.0f} {_BOTTOM - (_BOTTOM - _TOP) * rate / most:.0f}" for place, rate in enumerate(rates)]
    label = f"Requests per minute over 24 hours: at most {count(most)}, now {count(day.now)}"
    return Sparkline("M" + "L".join(_without_level(points)), _swaps(day), label)


def _swaps(day: DayTraffic | None) -> tuple[int, ...]:
    return tuple(round(share * WIDTH) for share in day.swaps) if day is not None else ()


def _without_level(points: list[str]) -> list[str]:
    """Of points at one level, the first and the last: the rest draws nothing."""
    levels = [point.partition(" ")[2] for point in points]
    last = len(points) - 1
    return [
        point
        for place, point in enumerate(points)
        if place in (0, last) or not levels[place - 1] == levels[place] == levels[place + 1]
    ]
