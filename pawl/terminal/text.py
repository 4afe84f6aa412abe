"""Texts from elsewhere, made safe for a terminal and for a line."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What could move the cursor, change colours or turn the writing round: names and messages come from git."""


def printable(text: object) -> str:
    """Lines and tabs stay."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text))


def printable_json(text: str) -> str:
    """The same value, written without those characters."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: object) -> str:
    return printable(" ".join(str(text).split()))


def is_terminal() -> bool:
    return sys.stdout.isatty()


def moment(at: object) -> str:
    """A time as the server gives it, in UTC and to the second; as it is, where it is none."""
    read = read_moment(at)
    return str(at or "") if read is None else read.isoformat(timespec="seconds").replace("+00:00", "Z")


def ago(at: object) -> str:
    """How long that is past."""
    read = read_moment(at)
    if read is None:
        return str(at or "")
    past = max(datetime.now(UTC) - read, timedelta())
    return f"{span(past.total_seconds())} ago"


def span(seconds: float) -> str:
    """In the largest unit that fits."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min"
    return f"{seconds // 3600:.0f} h" if seconds < 86_400 else f"{seconds // 86_400:.0f} d"


def duration(seconds: float) -> str:
    """Of a step."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def read_moment(at: object) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(at))
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo is not None else None


def size(bytes_: object) -> str:
    """Empty where it is not known."""
    if not isinstance(bytes_, int | float):
        return ""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if bytes_ >= of:
            return f"{bytes_ / of:.1f} {unit}"
    return f"{bytes_:.0f} B"
