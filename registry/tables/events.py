"""Events on disk. What people did is kept for long, and apart from what happens by itself."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    and_,
    delete,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.engine import Connection, Row

from core.events import ACTOR_KINDS, AUDIT, BY_ITSELF, PEOPLE, Event, EventKind
from registry.event_filter import EventFilter
from registry.tables.columns import (
    Moment,
    Prose,
    actor_columns,
    actor_values,
    insert_into,
    metadata,
    prose,
    take_actor,
    text,
)
from registry.tables.notices import notify
from registry.topics import Topic

_events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("model", String(255), nullable=False),
    Column("version", String(40), nullable=False),
    Column("commit", String(80), nullable=False),
    Column("message", Prose, nullable=False),
    Column("detail", Prose, nullable=False),
    Column("key", String(32)),
    *actor_columns(),
    prose("reason"),
    text("action", 40),
    Index("events_by_model", "model", "id"),
    Index("events_by_kind", "kind", "id"),
    Index("events_by_key", "key", unique=True),
    Index("events_by_time", "at"),
    Index("events_of_model_by_time", "model", "at"),
    Index("events_of_kind_by_time", "kind", "at"),
    Index("events_of_actor_by_time", "actor_name", "at"),
    Index("events_of_actors_by_time", "actor_kind", "at"),
)

KEPT = 5_000
"""Events of each kind, so that those of which there are many push no others out."""
AUDIT_KEPT = 100_000
"""Events of each kind of what people did: sign-ins that fail can be many."""
AUDIT_DAYS = 400


class Events:
    """The events of all times, in one transaction."""

    def __init__(self, connection: Connection, audit_days: int = AUDIT_DAYS) -> None:
        self._connection = connection
        self._audit_days = audit_days

    def append(self, events: Sequence[Event], keys: Sequence[str] = ()) -> None:
        """Write the events down, and forget the oldest of their kinds beyond the bound.

        `keys`: one for each event, different for all events ever; an event whose key is there already is left out, so
        that a commit whose outcome nobody knows can be tried again, even while the database is at it.
        """
        keyed = zip(events, keys or [uuid4().hex for _ in events], strict=True)
        if rows := [_row(event, key) for event, key in keyed]:
            statement = insert_into(self._connection, _events).on_conflict_do_nothing(index_elements=["key"])
            self._connection.execute(statement, rows)
            notify(self._connection, Topic.EVENTS)
        for kind, is_audit in {(event.kind, event.is_audit) for event in events}:
            self._forget_beyond(_those(kind, is_audit), AUDIT_KEPT if is_audit else KEPT)
            if is_audit:
                self._forget_before(_those(kind, is_audit), datetime.now(UTC) - timedelta(days=self._audit_days))

    def last(self, before: datetime | None = None) -> int:
        """The number of the newest one, of those that happened before that moment; 0: there is none."""
        chosen = select(_events.c.id).order_by(_events.c.id.desc()).limit(1)
        if before is not None:
            chosen = select(_events.c.id).where(_events.c.at < before).order_by(_events.c.at.desc()).limit(1)
        return self._connection.execute(chosen).scalar() or 0

    def by_others(self, mark: str, after: int, known: Container[int], most: int) -> dict[int, Event]:
        """The newest with a greater number, in the order of their numbers, but for those that are `known`; `mark`: how
        the keys of those begin that are not by others."""
        is_by_others = or_(_events.c.key.is_(None), not_(_events.c.key.startswith(mark)))
        chosen = select(_events.c.id).where(_events.c.id > after, is_by_others).order_by(_events.c.id.desc())
        numbers = [id for id in self._connection.scalars(chosen.limit(most)) if id not in known]
        if not numbers:
            return {}
        rows = self._connection.execute(select(_events).where(_events.c.id.in_(numbers)).order_by(_events.c.id))
        return {row.id: _event(row) for row in rows if row.kind in _KINDS}

    def has(self, kinds: Sequence[EventKind]) -> bool:
        """Whether there is any of those kinds."""
        chosen = select(_events.c.id).where(_events.c.kind.in_([kind.value for kind in kinds])).limit(1)
        return self._connection.execute(chosen).first() is not None

    def newest(self, most: int, model: str | None = None) -> list[Event]:
        """So many of each kind, all of them newest first."""
        # a newer Pawl may have written kinds that this one doesn't know
        rows = [row for kind in EventKind for row in self._newest_of(kind, most, model)]
        return [_event(row) for row in sorted(rows, key=lambda row: int(row.id), reverse=True)]

    def listed(self, chosen: EventFilter, most: int, until: datetime | None = None) -> list[Event]:
        """The newest first, by when they happened; `until`: none of later."""
        found = select(_events).order_by(_events.c.at.desc()).limit(most)
        rows = self._connection.execute(found.where(*_conditions(chosen, until))).all()
        return [_event(row) for row in rows if row.kind in _KINDS]

    def _newest_of(self, kind: EventKind, most: int, model: str | None) -> Sequence[Row[Any]]:
        chosen = select(_events).where(_events.c.kind == kind.value).order_by(_events.c.id.desc()).limit(most)
        if model is not None:
            chosen = chosen.where(_events.c.model == model)
        return self._connection.execute(chosen).all()

    def _forget_beyond(self, those: ColumnElement[bool], kept: int) -> None:
        newest_first = select(_events.c.id).where(those).order_by(_events.c.id.desc())
        newest_to_go = self._connection.execute(newest_first.offset(kept).limit(1)).scalar()
        if newest_to_go is not None:
            self._connection.execute(delete(_events).where(those, _events.c.id <= newest_to_go))

    def _forget_before(self, those: ColumnElement[bool], moment: datetime) -> None:
        oldest = self._connection.execute(select(_events.c.at).where(those).order_by(_events.c.id).limit(1)).scalar()
        if oldest is not None and oldest < moment:
            self._connection.execute(delete(_events).where(those, _events.c.at < moment))


def _conditions(chosen: EventFilter, until: datetime | None) -> Iterator[ColumnElement[bool]]:
    columns = _events.c
    is_of_model = chosen.model is not None  # whose events are fewer than those of a kind: no other index is to be used
    kind = columns.kind.concat("") if is_of_model else columns.kind
    if chosen.model is not None:
        yield columns.model == chosen.model
    if chosen.kind is not None:
        yield kind == chosen.kind
    if chosen.actor == BY_ITSELF.kind:
        yield columns.actor_kind.in_(["", chosen.actor])
    elif chosen.actor is not None:
        yield (columns.actor_kind if chosen.actor in ACTOR_KINDS else columns.actor_name) == chosen.actor
    if chosen.since is not None:
        yield columns.at >= chosen.since
    if until is not None:
        yield columns.at <= until


_KINDS = frozenset(EventKind)


def _those(kind: EventKind, is_audit: bool) -> ColumnElement[bool]:
    """Events of the kind that tell what somebody did, or the others: they are counted apart."""
    by_people = _events.c.actor_kind.in_(sorted(PEOPLE))
    which = true() if kind in AUDIT else by_people if is_audit else not_(by_people)
    return and_(_events.c.kind == kind.value, which)


def _row(event: Event, key: str) -> dict[str, object]:
    return {
        "at": event.at,
        "kind": event.kind.value,
        "model": event.model,
        "version": event.version,
        "commit": event.commit,
        "message": event.message,
        "detail": event.detail,
        "key": key,
        "reason": event.reason,
        "action": event.action,
        **actor_values(event.actor),
    }


def _event(row: Row[Any]) -> Event:
    fields = take_actor(dict(row._mapping))
    del fields["id"], fields["key"]
    return Event(**{**fields, "kind": EventKind(fields["kind"])})
