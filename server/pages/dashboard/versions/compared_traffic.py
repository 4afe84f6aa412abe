"""The traffic of two versions beside each other, as a page shows it."""

from __future__ import annotations

from datetime import datetime, timedelta

from registry.errors import RegistryUnavailable
from server.pages.layout import units
from server.traffic.history.history import TrafficHistory
from server.traffic.history.points import Figures

Row = tuple[str, str, str]
"""A name, and two numbers with their units."""

_COMPARED = timedelta(days=7)
"""How far back, and to where that day begins: sums of days are read far quicker than of hours."""


async def compared_traffic(
    history: TrafficHistory, model: str, before: str, after: str, now: datetime
) -> tuple[Row, ...]:
    """What clients got of two versions; nothing while the registry is away, since the other differences need none."""
    try:
        begins = (now - _COMPARED).replace(hour=0, minute=0, second=0, microsecond=0)
        figures = [await history.totals(model, version, begins, now) for version in (before, after)]
    except RegistryUnavailable:
        return ()
    return _rows(*figures)


def _rows(before: Figures, after: Figures) -> tuple[Row, ...]:
    return (
        ("requests", units.count(before.requests), units.count(after.requests)),
        ("errors", _errors(before), _errors(after)),
        ("p50", units.milliseconds(before.p50_ms), units.milliseconds(after.p50_ms)),
        ("p95", units.milliseconds(before.p95_ms), units.milliseconds(after.p95_ms)),
        ("p99", units.milliseconds(before.p99_ms), units.milliseconds(after.p99_ms)),
    )


def _errors(figures: Figures) -> str:
    failed = sum(count for status, count in figures.by_status.items() if status.startswith("5"))
    return units.share(failed, figures.requests)
