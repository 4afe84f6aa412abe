"""A registry that was begun anew is told what this server still knows of what people decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from core.decisions import Decisions, Rejected
from core.events import Actor, Event, EventKind
from core.release import Served
from core.steering import Pin, Rejection
from server.steering.decisions.rows import Rows, read_rows

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for

_DECIDING = (
    *(EventKind.PINNED, EventKind.UNPINNED, EventKind.ROLLED_BACK),
    *(EventKind.REJECTED, EventKind.ACCEPTED),
)
_PAWL = Actor(kind="pawl")
_WHY = "the registry was begun anew, and DATA_DIR had kept it"


def rows_and_restored(transaction: Transaction, kept: Decisions) -> tuple[Rows, Sequence[Event]]:
    """What the registry has, after it was told what it must have lost, and the events that say so.

    It has lost something where it knows of no decision at all, not even of one that was lifted.
    """
    rows = read_rows(transaction)
    if rows != Rows() or not (kept.pins or kept.rejections) or transaction.events.has(_DECIDING):
        return rows, ()
    events = []
    for model, served in (kept.pins or {}).items():
        transaction.pins.put(_pin(model, served))
        events.append(_event(EventKind.PINNED, f"still pinned at {served.version.label}", model, served))
    for model, rejected in (kept.rejections or {}).items():
        for rejection in _rejections(model, rejected, (kept.targets or {}).get(model)):
            transaction.rejections.put(rejection)
        events.append(_event(EventKind.REJECTED, "what was rejected still is", model, None))
    return read_rows(transaction), events


def _pin(model: str, served: Served) -> Pin:
    release, version = served
    return Pin(
        model=model,
        release=release.id,
        version=version.label,
        commit=version.commit,
        run=release.run or "",
        actor=_PAWL,
        reason=_WHY,
    )


def _rejections(model: str, rejected: Rejected, target: Served | None) -> list[Rejection]:
    """By release, and by run where nothing says any more of which release it was."""
    now = datetime.now(UTC)
    by_release = [
        Rejection(model=model, release=release, pinned_at=now if release in rejected.pinned else None)
        for release in sorted(rejected.releases)
    ]
    by_run = [Rejection(model=model, release=f"run-{run}", run=run) for run in sorted(rejected.runs)]
    return [
        _with_target(msgspec.structs.replace(one, actor=_PAWL, reason=_WHY), target) for one in (*by_release, *by_run)
    ]


def _with_target(rejection: Rejection, target: Served | None) -> Rejection:
    if target is None:
        return rejection
    release, version = target
    return msgspec.structs.replace(
        rejection,
        to_release=release.id,
        to_version=version.label,
        to_commit=version.commit,
        to_run=release.run or "",
    )


def _event(kind: EventKind, message: str, model: str, served: Served | None) -> Event:
    version, commit = ("", "") if served is None else (served.version.label, served.version.commit)
    return Event(kind=kind, message=message, model=model, version=version, commit=commit, actor=_PAWL, reason=_WHY)
