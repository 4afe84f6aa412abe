"""What an action writes to the registry, in one transaction with the events that tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from core.decisions import NO_DECISIONS, Decisions
from core.events import Actor, Event, EventKind
from core.release import Served
from core.steering import Pin, Rejection
from server.steering.actions.actions import Action
from server.steering.actions.errors import ModelPinned
from server.steering.decisions.restoring import rows_and_restored
from server.steering.decisions.rows import Rows, read_rows
from server.steering.version_labels import told, told_apart

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for

PAWL = Actor(kind="pawl")


@dataclass
class Intent:
    """One transaction; `act` is called in a thread, and `rows` is what it left, once it is committed."""

    action: Action
    rows: Rows = field(default_factory=Rows)
    kept: Decisions = NO_DECISIONS
    """What was known before, for a registry that was begun anew."""

    def act(self, transaction: Transaction) -> Sequence[Event]:
        _, restored = rows_and_restored(transaction, self.kept)
        events = self.change(transaction)
        self.rows = read_rows(transaction)
        return [*restored, *events]

    def change(self, transaction: Transaction) -> Sequence[Event]:
        raise NotImplementedError

    def event(self, kind: EventKind, message: str, served: Served | None = None, *, by_us: bool = False) -> Event:
        """`by_us`: Pawl itself took something back."""
        action = self.action
        return Event(
            kind=kind,
            message=message,
            model=action.model,
            version="" if served is None else served.version.label,
            commit="" if served is None else served.version.commit,
            actor=PAWL if by_us else action.actor,
            reason="" if by_us else action.reason,
            action=action.id,
        )


@dataclass
class ToPin(Intent):
    served: Served = field(kw_only=True)
    before: Pin | None = None

    @property
    def pin(self) -> Pin:
        release, version = self.served
        return Pin(
            model=release.model,
            release=release.id,
            version=version.label,
            commit=version.commit,
            run=release.run or "",
            at=self.action.at,
            actor=self.action.actor,
            reason=self.action.reason,
        )

    def change(self, transaction: Transaction) -> Sequence[Event]:
        self.before = transaction.pins.of(self.action.model)
        transaction.pins.put(self.pin)
        transaction.rejections.mark_pinned(self.action.model, self.served.release.id, self.action.at)
        return [self.event(EventKind.PINNED, f"pinned at {told(self.served)}", self.served)]


@dataclass
class NotToPin(Intent):
    """Takes a pin back that could not be done."""

    pinned: ToPin = field(kw_only=True)
    why: str = field(kw_only=True)
    is_done: bool = False

    def change(self, transaction: Transaction) -> Sequence[Event]:
        model, mine = self.action.model, self.pinned.pin
        now = transaction.pins.of(model)
        self.is_done = now is not None and (now.release, now.at) == (mine.release, mine.at)
        if not self.is_done:
            return []
        served, before = self.pinned.served, self.pinned.before
        message = f"the pin at {told(served)} was withdrawn: {self.why}"
        if before is None:
            transaction.pins.lift(model)
            return [self.event(EventKind.UNPINNED, message, served, by_us=True)]
        transaction.pins.put(before)
        return [self.event(EventKind.PINNED, f"{message}; pinned at {before.version} again", by_us=True)]


@dataclass
class ToUnpin(Intent):
    lifted: Pin | None = None
    then: str = ""
    """What comes of it, where that is not that the newest goes live."""

    def change(self, transaction: Transaction) -> Sequence[Event]:
        self.lifted = transaction.pins.of(self.action.model)
        if self.lifted is None:
            return []
        transaction.pins.lift(self.action.model)
        message = f"no longer pinned at {self.lifted.version}"
        event = self.event(EventKind.UNPINNED, f"{message}; {self.then}" if self.then else message)
        return [msgspec.structs.replace(event, version=self.lifted.version, commit=self.lifted.commit)]


@dataclass
class ToRollBack(Intent):
    live: Served = field(kw_only=True)
    to: Served = field(kw_only=True)
    lifted: tuple[Rejection, ...] = ()

    @property
    def rejection(self) -> Rejection:
        (live, version), (to, to_version) = self.live, self.to
        return Rejection(
            model=live.model,
            release=live.id,
            version=version.label,
            commit=version.commit,
            run=(live.run or "") if live.revision == to.revision else "",
            to_release=to.id,
            to_version=to_version.label,
            to_commit=to_version.commit,
            to_run=to.run or "",
            at=self.action.at,
            actor=self.action.actor,
            reason=self.action.reason,
        )

    def change(self, transaction: Transaction) -> Sequence[Event]:
        model, to = self.action.model, self.to.release
        if (pin := transaction.pins.of(model)) is not None:
            raise pinned(model, pin)
        self.lifted = tuple(
            one for one in transaction.rejections.all(model) if one.release == to.id or (one.run and one.run == to.run)
        )
        for one in self.lifted:
            transaction.rejections.lift(model, one.release)
        transaction.rejections.put(self.rejection)
        message = "rolled back from {} to {}".format(*told_apart(self.live, self.to))
        return [
            self.event(EventKind.REJECTED, f"{told(self.live)} was turned down by a rollback", self.live),
            self.event(EventKind.ROLLED_BACK, message, self.to),
        ]


@dataclass
class NotToRollBack(Intent):
    """Takes a rollback back that could not be done."""

    rolled_back: ToRollBack = field(kw_only=True)
    why: str = field(kw_only=True)
    is_done: bool = False

    def change(self, transaction: Transaction) -> Sequence[Event]:
        model, mine = self.action.model, self.rolled_back.rejection
        now = [one for one in transaction.rejections.all(model) if one.release == mine.release]
        self.is_done = bool(now) and now[0].at == mine.at
        if not self.is_done:
            return []
        transaction.rejections.lift(model, mine.release)
        for one in self.rolled_back.lifted:
            transaction.rejections.put(one)
        live = self.rolled_back.live
        message = f"the rollback to {told(self.rolled_back.to)} was withdrawn: {self.why}"
        return [self.event(EventKind.ACCEPTED, f"{message}; {told(live)} is accepted again", live, by_us=True)]


@dataclass
class ToAccept(Intent):
    rejected: tuple[Rejection, ...] = field(kw_only=True)

    def change(self, transaction: Transaction) -> Sequence[Event]:
        lifted = [one for one in self.rejected if transaction.rejections.lift(one.model, one.release)]
        events = [self.event(EventKind.ACCEPTED, f"{one.version} is no longer rejected") for one in lifted]
        return [
            msgspec.structs.replace(event, version=one.version, commit=one.commit)
            for event, one in zip(events, lifted, strict=True)
        ]


@dataclass
class ToTell(Intent):
    """Changes nothing that outlasts a restart, and is told all the same."""

    kind: EventKind = field(kw_only=True)
    message: str = field(kw_only=True)
    served: Served | None = None
    by_us: bool = False

    def change(self, transaction: Transaction) -> Sequence[Event]:
        return [self.event(self.kind, self.message, self.served, by_us=self.by_us)]


def pinned(model: str, pin: Pin) -> ModelPinned:
    return ModelPinned(f"{model} is pinned at {pin.version}; lift the pin first, or pin another version", pin.version)
