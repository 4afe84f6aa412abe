"""One event as a line of a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.events import Actor, Event
from server.pages.card import short
from server.pages.layout.moments import Moment, moment


@dataclass(frozen=True)
class Line:
    """Texts, none of them escaped."""

    moment: Moment
    kind: str
    """As people read it: `run started`."""
    icon: str
    tone: str
    """Class of its colour; empty for what is neither good nor bad."""
    model: str
    version: str
    """Empty where the message begins with it."""
    commit: str
    message: str
    detail: str
    reason: str
    who: str


_TONES = {
    "live": ("live", "is-good"),
    "accepted": ("check", "is-good"),
    "source_back": ("check", "is-good"),
    "failed": ("failed", "is-bad"),
    "crash_loop": ("warn", "is-bad"),
    "source_lost": ("warn", "is-bad"),
    "gateway_lost": ("warn", "is-bad"),
    "worker_lost": ("warn", "is-bad"),
    "request_failed": ("failed", "is-bad"),
    "rejected": ("rejected", "is-bad"),
    "sign_in_failed": ("key", "is-bad"),
    "rolled_back": ("back", "is-wait"),
    "pinned": ("pin", "is-wait"),
    "unpinned": ("pin", ""),
    "left_out": ("warn", "is-wait"),
    "history_rewritten": ("warn", "is-wait"),
    "renamed": ("ready", ""),
    "removed": ("retired", ""),
    "deleted": ("retired", ""),
    "uploaded": ("push", ""),
    "run_queued": ("pending", ""),
    "run_started": ("train", ""),
    "run_ended": ("train", ""),
    "signed_in": ("key", ""),
    "key_created": ("key", ""),
    "key_revoked": ("key", "is-wait"),
    "loaded": ("demand", ""),
    "unloaded": ("retired", ""),
}


def line(event: Event, now: datetime) -> Line:
    icon, tone = _TONES.get(event.kind, ("going", ""))
    return Line(
        moment=moment(event.at, now),
        kind=event.kind.replace("_", " "),
        icon=icon,
        tone=tone,
        model=event.model,
        version="" if event.version and event.message.startswith(f"{event.version} ") else event.version,
        commit=short(event.commit) if event.commit else "",
        message=event.message,
        detail=event.detail,
        reason=event.reason,
        who=who(event.actor),
    )


def who(actor: Actor | None) -> str:
    """`pawl` is whoever did what happened by itself."""
    if actor is None:
        return "pawl"
    return f"{actor.name}, {actor.kind}" if actor.name else actor.kind
