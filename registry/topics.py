"""What one daemon may tell others of, that write to the same database."""

from __future__ import annotations

from enum import StrEnum

CHANNEL = "pawl_registry"


class Topic(StrEnum):
    """What has changed; whoever hears of it looks."""

    DECISIONS = "decisions"
    """Pins and rejections."""
    KEYS = "keys"
    SESSIONS = "sessions"
    """Those that were ended."""
    EVENTS = "events"
    RUNS = "runs"
    """Those that are not over."""
