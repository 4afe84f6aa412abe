"""Why a release went live: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from core.events import BY_ITSELF, BY_PUSH, Actor
from core.release import Served
from core.steering import Cause, Deployment
from server.steering.decisions.rows import Rows


@dataclass(frozen=True)
class Before:
    """What was live here, since when."""

    served: Served
    at: datetime


@dataclass(frozen=True)
class Why:
    cause: Cause
    actor: Actor | None
    reason: str = ""


def cause_of(
    live: Served,
    before: Before | None,
    restored: Served | None,
    rows: Rows | None,
    lifted: Why | None,
    asked: Why | None = None,
) -> Why:
    """`restored`: what was live when the server stopped. `lifted`: who lifted what held until now, and why. `asked`:
    who asked for this release, where something else was asked for before it went live."""
    if before is None and restored == live:
        return Why(Cause.RESTART, BY_ITSELF)
    earlier = before.served if before is not None else restored
    rows = rows or Rows()
    pin = rows.pins.get(live.release.model)
    if pin is not None and pin.release == live.release.id:
        return Why(Cause.PIN, pin.actor, pin.reason)
    if lifted is not None:
        return lifted
    if earlier is not None:
        for one in rows.rejected(live.release.model):
            if one.release == earlier.release.id and one.to_release in ("", live.release.id):
                return Why(Cause.ROLLBACK, one.actor, one.reason)
    if asked is not None:
        return asked
    artifact = live.release.artifact
    if artifact is not None and (earlier is None or earlier.release.run != artifact.run):
        return Why(Cause.TRAIN, BY_ITSELF)
    return Why(Cause.PUSH, BY_PUSH)


def after_entry(told: Deployment, follows: str, entry: Deployment | None) -> Deployment:
    """`told` as it follows the ledger's newest entry. `follows`: the release after which this server saw it go live.

    A server that was down, or looks later, goes from another release to this one than others do. Whether a push or a
    run brought it is then put down to what the ledger has before it, so that it is the same whoever tells it first.
    """
    by_itself = told.actor in (BY_ITSELF, BY_PUSH) and told.cause in (Cause.TRAIN, Cause.PUSH)
    if not by_itself or entry is None or entry.release in (follows, told.release):
        return told
    is_trained = told.run not in ("", entry.run)
    cause, actor = (Cause.TRAIN, BY_ITSELF) if is_trained else (Cause.PUSH, BY_PUSH)
    return msgspec.structs.replace(told, cause=cause, actor=actor)
