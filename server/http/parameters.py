"""What a URL's query asks for; what can't be read is refused by name, never guessed at."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from core.errors import PawlError

_SHOWN = 15
"""Of what a parameter may hold, in a message."""


class ParameterInvalid(PawlError):
    """A parameter of the query can't be read; the edge answers 422."""

    def __init__(self, name: str, held: str, takes: str) -> None:
        super().__init__(f"{name} is {held[:100]!r}; it takes {takes}")
        self.name = name


def seconds(query: Mapping[str, str], name: str) -> float:
    """Zero where it isn't given."""
    held = query.get(name) or "0"
    try:
        found = float(held)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise ParameterInvalid(name, held, "a number of seconds, 0 or more")
    return found


def count(query: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    held = query.get(name) or str(default)
    if not (held.isascii() and held.isdecimal() and len(held) < 10 and 1 <= int(held) <= most):
        raise ParameterInvalid(name, held, f"a whole number from 1 to {most:,}")
    return int(held)


def moment(query: Mapping[str, str], name: str) -> datetime | None:
    """A time with its zone (RFC 3339); None where it isn't given."""
    held = query.get(name)
    if not held:
        return None
    try:
        found = datetime.fromisoformat(held.replace(" ", "+"))  # which is what an unescaped "+" means in a query
        told = None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # of a year before the first or after the last
        told = None
    if told is None:
        raise ParameterInvalid(name, held, "a time with its zone, such as 2026-06-21T12:00:00Z")
    return told


def stretch(query: Mapping[str, str], now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when, to when; `from` must be earlier than `to`, or than now where there is none."""
    begins, ends = moment(query, "from"), moment(query, "to")
    if begins is not None and begins >= (ends or now):
        raise ParameterInvalid("from", query["from"], "a time before that of `to`, or before now without one")
    return begins, ends


def one_of(query: Mapping[str, str], name: str, choices: list[str]) -> str | None:
    """None where it isn't given."""
    held = query.get(name)
    if held and held not in choices:
        shown = choices[:_SHOWN] + [f"{len(choices) - _SHOWN} more"] * (len(choices) > _SHOWN)
        raise ParameterInvalid(name, held, f"one of {', '.join(shown)}")
    return held or None


def is_match(held: str, form: str) -> bool:
    """Whether it has that form, a regular expression."""
    return re.fullmatch(form, held) is not None


def matching(query: Mapping[str, str], name: str, form: str, takes: str) -> str | None:
    """Text of that form (a regular expression); None where it isn't given."""
    held = query.get(name)
    if held and not re.fullmatch(form, held):
        raise ParameterInvalid(name, held, takes)
    return held or None
