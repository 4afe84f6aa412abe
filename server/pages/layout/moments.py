"""Times as people read them: relative up to four weeks, then in months, with the absolute time beside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_MONTH = 30.44 * _DAY


@dataclass(frozen=True)
class Moment:
    """A time."""

    iso: str
    """For programs."""
    absolute: str
    """`2026-03-12 14:02:11 UTC`."""
    ago: str
    """`29 min ago`."""
    clock: str
    """`14:02`, with the day before it where that isn't today."""


def moment(at: datetime, now: datetime) -> Moment:
    at = at.astimezone(UTC)
    is_today = at.date() == now.astimezone(UTC).date()
    clock = f"{at:%H:%M}" if is_today else f"{at.day} {at:%b %H:%M}"
    if at.year != now.year:
        clock = f"{at.day} {at:%b %Y %H:%M}"
    return Moment(f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M:%S} UTC", ago(now - at), clock)


def duration(seconds: float) -> str:
    """`0.4 s`, `11 s`, `18 min`, `1 h 35 min`, `8 d 5 h`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < _DAY:
        return _two(int(seconds // _HOUR), "h", int(seconds % _HOUR // _MINUTE), "min")
    return _two(int(seconds // _DAY), "d", int(seconds % _DAY // _HOUR), "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")


def ago(past: timedelta) -> str:
    """`29 min ago`."""
    seconds = past.total_seconds()
    if seconds < 1:
        return "just now"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s ago"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min ago"
    if seconds < _DAY:
        return f"{seconds / _HOUR:.0f} h ago"
    if seconds < 14 * _DAY:
        return f"{seconds / _DAY:.0f} d ago"
    if seconds < 28 * _DAY:
        return f"{seconds / _DAY / 7:.0f} weeks ago"
    if seconds < 365 * _DAY:
        months = max(round(seconds / _MONTH), 1)
        return f"{months} month{'' if months == 1 else 's'} ago"
    years = max(round(seconds / _DAY / 365), 1)
    return f"{years} year{'' if years == 1 else 's'} ago"
