"""What people choose to be live, and what was."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from core.events import Actor


def _now() -> datetime:
    return datetime.now(UTC)


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """An operator's choice of a model's live release, which holds against newer pushes until it is lifted."""

    model: str
    release: str
    """Its id."""
    version: str = ""
    commit: str = ""
    run: str = ""
    """The key of the run that made the release's artifact; empty where it has none."""
    at: datetime = msgspec.field(default_factory=_now)
    actor: Actor | None = None
    reason: str = ""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A release that a rollback or a canary turned down."""

    model: str
    release: str
    version: str = ""
    commit: str = ""
    run: str = ""
    """The key of the run that was turned down with it, whatever revision its artifact is to serve; else empty."""
    to_release: str = ""
    """What the model went back to; empty where that was not named."""
    to_version: str = ""
    to_commit: str = ""
    to_run: str = ""
    at: datetime = msgspec.field(default_factory=_now)
    actor: Actor | None = None
    reason: str = ""
    pinned_at: datetime | None = None
    """When somebody pinned it all the same; None: nobody has since."""


class Cause(StrEnum):
    """Why a release went live."""

    PUSH = "push"
    ROLLBACK = "rollback"
    PIN = "pin"
    UNPIN = "unpin"
    CANARY = "canary"
    TRAIN = "train"
    RESTART = "restart"


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """That a release was live, from when until when."""

    model: str
    release: str
    cause: Cause
    version: str = ""
    commit: str = ""
    run: str = ""
    began_at: datetime = msgspec.field(default_factory=_now)
    ended_at: datetime | None = None
    """None while it is live."""
    actor: Actor | None = None
    reason: str = ""
