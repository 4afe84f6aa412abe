"""How much of the past the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.traffic.history.steps import fitting_start

PRESETS = {
    "1h": ("1 h", timedelta(hours=1)),
    "6h": ("6 h", timedelta(hours=6)),
    "24h": ("24 h", timedelta(hours=24)),
    "7d": ("7 d", timedelta(days=7)),
    "30d": ("30 d", timedelta(days=30)),
    "1y": ("1 y", timedelta(days=365)),
}
"""By name: a label, and how long."""
DEFAULT = "24h"


@dataclass(frozen=True)
class Range:
    preset: str
    """Empty where somebody chose a beginning and an end."""
    begins: datetime
    ends: datetime

    @property
    def options(self) -> str:
        """The same for `pawl traffic`."""
        if self.preset:
            return f"--from {PRESETS[self.preset][1] // timedelta(hours=1)}h"
        return f"--from {self.begins.isoformat()} --to {self.ends.isoformat()}"


def chosen(preset: str, begins: datetime | None, ends: datetime | None, now: datetime) -> Range:
    """`preset`: one of them, or empty. A beginning wins over it."""
    if begins is not None:
        return Range("", begins, ends or now)
    name = preset or DEFAULT
    ends = ends or now
    return Range(name, fitting_start(ends - PRESETS[name][1], ends), ends)


def step_text(seconds: int) -> str:
    """`a point each 15 min`."""
    if seconds < 3600:
        return f"a point each {seconds // 60} min" if seconds > 60 else "a point each minute"
    if seconds < 86_400:
        return f"a point each {seconds // 3600} h" if seconds > 3600 else "a point each hour"
    return f"a point each {seconds // 86_400} days" if seconds > 86_400 else "a point each day"
