"""Shapes of answers that are put together where they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from core.events import Actor, EventKind
from core.keys import Scope
from server.state import ModelState
from trainer.catalogue.views import RunView


class EventItem(msgspec.Struct, kw_only=True):
    """One thing that happened."""

    id: str
    at: datetime
    kind: EventKind
    model: str
    version: str
    commit: str
    actor: Actor
    reason: str
    message: str
    action: str
    detail: str


class EventList(msgspec.Struct, kw_only=True):
    items: Sequence[EventItem]
    next: str | None


class RunList(msgspec.Struct, kw_only=True):
    items: Sequence[RunView]
    next: str | None


class LineItem(msgspec.Struct, kw_only=True):
    """One line that a worker printed."""

    id: str
    at: datetime
    version: str | None
    release: str
    line: str


class LineList(msgspec.Struct, kw_only=True):
    items: Sequence[LineItem]
    next: str | None


class ModelList(msgspec.Struct, kw_only=True):
    """The models, and where everything stands."""

    items: Sequence[ModelState]
    next: str | None
    source: str
    head: str
    problem: str | None
    ready: bool
    left_out: Mapping[str, str]


class ModelItem(ModelState, frozen=True, kw_only=True):
    """One model, with its newest events of each kind."""

    events: Sequence[EventItem]


class KeyItem(msgspec.Struct, kw_only=True):
    """What is told of a key: never the key itself."""

    id: str
    name: str
    scopes: Sequence[Scope]
    models: Sequence[str] | None
    rate: float | None
    expires: datetime | None
    created_at: datetime
    created_by: Actor | None
    expired: bool


class KeyList(msgspec.Struct, kw_only=True):
    items: Sequence[KeyItem]
    next: str | None


class MadeKey(KeyItem, kw_only=True):
    key: str


class RevokedKey(msgspec.Struct, kw_only=True):
    id: str
    revoked: bool


class Session(msgspec.Struct, kw_only=True):
    name: str
    scopes: Sequence[Scope]
    expires_s: float


class SignedOut(msgspec.Struct, kw_only=True):
    signed_out: bool


Document = dict[str, Any]
