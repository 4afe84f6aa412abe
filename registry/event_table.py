"""Events on disk: SQLite or PostgreSQL through SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.errors import PawlError
from core.events import Event, EventKind
from core.redaction import redact, secrets_in

_metadata = MetaData()
_events = Table(
    "events",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("model", String(255), nullable=False),
    Column("version", String(40), nullable=False),
    Column("commit", String(80), nullable=False),
    Column("message", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("events_by_model", "model", "id"),
)

KEPT = 5_000
"""Events of each kind, so that those of which there are many push no others out."""
_LONGEST = 50_000
"""Characters of a message or a detail."""


_MISSPELT = (
    "DATABASE_URL can't be read; what is special in a user's name or a password is to be percent-encoded, "
    "such as %40 for @"
)


class RegistryUnavailable(PawlError):
    """The database can't be reached, or refuses."""


class EventTable:
    """The newest events of all times. Methods block; they raise RegistryUnavailable."""

    def __init__(self, url: str) -> None:
        """`url`: a SQLAlchemy URL; `postgres://` and `postgresql://` ones work too."""
        self._secrets = secrets_in(url)
        try:
            self._engine = create_engine(_with_driver(url), pool_pre_ping=True)
        except (ArgumentError, ValueError) as error:  # which may quote a part of the password
            raise RegistryUnavailable(_MISSPELT) from error
        try:
            _metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            self.close()
            raise self._unavailable(error) from error

    def append(self, events: Sequence[Event]) -> None:
        """Write the events down, all or none, and forget the oldest of their kinds beyond the bound."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_events), [_row(event) for event in events])
                for kind in {event.kind.value for event in events}:
                    _forget_oldest(connection, kind)
        except SQLAlchemyError as error:
            raise self._unavailable(error) from error

    def newest(self, most: int, model: str | None = None) -> list[Event]:
        """So many of each kind, all of them newest first."""
        place = func.row_number().over(partition_by=_events.c.kind, order_by=_events.c.id.desc())
        known = [kind.value for kind in EventKind]  # a newer Pawl may have written more
        chosen = select(_events.c.id, place.label("place")).where(_events.c.kind.in_(known))
        if model is not None:
            chosen = chosen.where(_events.c.model == model)
        ranked = chosen.subquery()
        wanted = select(ranked.c.id).where(ranked.c.place <= most)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(select(_events).where(_events.c.id.in_(wanted)).order_by(_events.c.id.desc()))
                return [_event(row) for row in rows]
        except SQLAlchemyError as error:
            raise self._unavailable(error) from error

    def forget_everything(self) -> None:
        """Drop the tables."""
        _metadata.drop_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def _unavailable(self, error: SQLAlchemyError) -> RegistryUnavailable:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        return RegistryUnavailable(
            f"the registry's database does not do what it should: {redact(cause, self._secrets)}"
        )


def _forget_oldest(connection: Connection, kind: str) -> None:
    of_kind = select(_events.c.id).where(_events.c.kind == kind).order_by(_events.c.id.desc())
    newest_to_go = connection.execute(of_kind.offset(KEPT).limit(1)).scalar()
    if newest_to_go is not None:
        connection.execute(delete(_events).where(_events.c.kind == kind, _events.c.id <= newest_to_go))


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in ("postgres", "postgresql") else url


def _row(event: Event) -> dict[str, object]:
    return {
        "at": event.at,
        "kind": event.kind.value,
        "model": event.model,
        "version": event.version,
        "commit": event.commit,
        "message": _storable(event.message),
        "detail": _storable(event.detail),
    }


def _storable(text: str) -> str:
    """PostgreSQL's text holds no NUL, and neither encodes lone surrogates."""
    return text[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _event(row: Row[tuple[object, ...]]) -> Event:
    fields = dict(row._mapping)
    at = fields["at"]
    return Event(
        kind=EventKind(fields["kind"]),
        model=fields["model"],
        version=fields["version"],
        commit=fields["commit"],
        message=fields["message"],
        detail=fields["detail"],
        at=at if at.tzinfo else at.replace(tzinfo=UTC),  # SQLite forgets the zone
    )
