"""How finely the history of traffic is kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE_S = 60
_DAY_S = 24 * 3600


@dataclass(frozen=True)
class Resolution:
    """A length of buckets. Every request is in a bucket of each, until that is forgotten."""

    step_s: int
    kept_s: int


RESOLUTIONS = (
    Resolution(MINUTE_S, _DAY_S),
    Resolution(15 * MINUTE_S, 14 * _DAY_S),
    Resolution(60 * MINUTE_S, 90 * _DAY_S),
    Resolution(_DAY_S, 400 * _DAY_S),
)
"""The finest first."""
FINEST, *_, COARSEST = RESOLUTIONS
