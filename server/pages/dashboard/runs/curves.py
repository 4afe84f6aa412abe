"""What a run reported, step by step, as drawings and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.pages.layout.units import number
from trainer.catalogue.views import Reported

_WIDTH, _HEIGHT = 100.0, 100.0
_DRAWN = 200
"""Points of a drawing; more would be finer than a screen."""
_LISTED = 12
"""Rows of a table."""


@dataclass(frozen=True)
class Curve:
    """One score."""

    name: str
    path: str
    low: str
    high: str
    first_step: str
    last_step: str
    now: str
    says: str
    """What it found, in words."""
    rows: tuple[tuple[str, str], ...]
    """Step and score."""


def curves(points: Sequence[Reported]) -> tuple[Curve, ...]:
    names = list(dict.fromkeys(name for point in points for name in point.scores))
    found = [(name, [(one.step, one.scores.get(name)) for one in points]) for name in names]
    return tuple(_curve(name, [(x, y) for x, y in series if y is not None]) for name, series in found if series)


def _curve(name: str, series: Sequence[tuple[float, float]]) -> Curve:
    if not series:
        return Curve(name, "", "", "", "", "", number(None), f"{name}: nothing was reported", ())
    low, high = min(y for _, y in series), max(y for _, y in series)
    first, last = series[0], series[-1]
    span, length = (high - low) or 1.0, (last[0] - first[0]) or 1.0
    drawn = _thinned(series, _DRAWN)
    path = "M" + "L".join(
        f"{(x - first[0]) / length * _WIDTH:.1f} {_HEIGHT - (y - low) / span * _HEIGHT:.1f}" for x, y in drawn
    )
    return Curve(
        name=name,
        path=path,
        low=number(low),
        high=number(high),
        first_step=f"{first[0]:g}",
        last_step=f"{last[0]:g}",
        now=number(last[1]),
        says=f"{name} went from {number(first[1])} to {number(last[1])} in {len(series)} reports",
        rows=tuple((f"{x:g}", number(y)) for x, y in _thinned(series, _LISTED)),
    )


def _thinned(series: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Spread evenly, the first and the last among them."""
    if len(series) <= most:
        return list(series)
    return [series[round(place * (len(series) - 1) / (most - 1))] for place in range(most)]
