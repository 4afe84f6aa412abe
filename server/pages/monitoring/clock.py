"""Times as charts write them: as precise as the length of what they show asks for."""

from __future__ import annotations

from datetime import datetime

from server.traffic.history.history import Stretch


def clock(at: datetime, history: Stretch) -> str:
    days = (history.ends - history.begins).total_seconds() / 86_400
    return f"{at:%H:%M}" if days <= 1.5 else f"{at.day} {at:%b %H:%M}" if days <= 8 else f"{at.day} {at:%b}"
