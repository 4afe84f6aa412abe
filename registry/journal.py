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
from sqlalchemy.engine import Row
from sqlalchemy.exc import SQLAlchemyError

from core.errors import PawlError
from core.events import Event, EventKind

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

_KEPT = 10_000
_LONGEST = 50_000
"""Characters of a message or a detail."""


class RegistryUnavailable(PawlError):
    """The database can't be reached, or refuses."""


class Journal:
    """The newest events of all times. Methods block; they raise RegistryUnavailable."""

    def __init__(self, url: str) -> None:
        """`url`: a SQLAlchemy URL; `postgres://` and `postgresql://` ones work too."""
        try:
            self._engine = create_engine(_with_driver(url), pool_pre_ping=True)
            _metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def append(self, events: Sequence[Event]) -> None:
        """Write the events down, all or none, and forget the oldest beyond the bound."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_events), [_row(event) for event in events])
                newest = connection.execute(select(func.max(_events.c.id))).scalar_one()
                connection.execute(delete(_events).where(_events.c.id <= newest - _KEPT))
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def newest(self, most: int, model: str | None = None) -> list[Event]:
        """The newest first."""
        chosen = select(_events).order_by(_events.c.id.desc()).limit(most)
        if model is not None:
            chosen = chosen.where(_events.c.model == model)
        try:
            with self._engine.connect() as connection:
                return [_event(row) for row in connection.execute(chosen)]
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def forget_everything(self) -> None:
        """Drop the tables."""
        _metadata.drop_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()


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


def _unavailable(error: SQLAlchemyError) -> RegistryUnavailable:
    cause = getattr(error, "orig", None) or error
    return RegistryUnavailable(f"the registry's database does not do what it should: {' '.join(str(cause).split())}")
