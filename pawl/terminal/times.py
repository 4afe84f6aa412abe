"""Moments as people name them: `2h` for what is two hours past."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pawl.exits import USAGE, CommandFailed
from pawl.terminal.text import read_moment

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def as_moment(given: str, option: str) -> str:
    """As the server takes it; empty where nothing is given. Raises CommandFailed, which names the option."""
    if not given.strip():
        return ""
    if age := _AGE.fullmatch(given.strip()):
        try:
            past = datetime.now(UTC) - timedelta(seconds=float(age[1]) * _SECONDS[age[2]])
        except OverflowError as error:
            raise CommandFailed(USAGE, f"{option} {given.strip()[:40]} is longer ago than there are years") from error
        return past.isoformat().replace("+00:00", "Z")
    if read_moment(given.strip()) is None:
        raise CommandFailed(USAGE, f"{option} takes 30s, 5m, 2h, 1d or a time with its zone (2026-06-21T12:00:00Z)")
    return given.strip()


def as_seconds(given: str, option: str) -> str:
    """Of a span; empty where nothing is given. Raises CommandFailed, which names the option."""
    if not given.strip():
        return ""
    if span := _AGE.fullmatch(given.strip()):
        return f"{float(span[1]) * _SECONDS[span[2]]:g}"
    if not given.strip().isdigit():
        raise CommandFailed(USAGE, f"{option} takes seconds, or 1m, 15m, 1h, 1d")
    return given.strip()
