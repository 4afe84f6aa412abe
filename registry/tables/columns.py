"""Columns that mean the same in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Column, DateTime, Dialect, MetaData, String, Table, Text, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from core.events import Actor

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Prose(TypeDecorator[str]):
    """Text that was written by anybody, and is cut at a length.

    PostgreSQL's text holds no NUL, and neither database encodes lone surrogates.
    """

    impl = Text
    cache_ok = True

    def __init__(self, longest: int = 50_000) -> None:
        super().__init__()
        self.longest = longest

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value[: self.longest].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


class Json(TypeDecorator[Any]):
    """A value as JSON; NaN becomes null, which both databases can hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


def text(name: str, length: int) -> Column[str]:
    return Column(name, String(length), nullable=False, server_default="")


def prose(name: str, longest: int = 50_000) -> Column[str]:
    return Column(name, Prose(longest), nullable=False, server_default="")


def actor_columns() -> tuple[Column[str], ...]:
    return text("actor_kind", 20), prose("actor_name", 255), prose("actor_address", 255)


def actor_values(actor: Actor | None) -> dict[str, str]:
    """For `actor_columns`; empty ones mean that nobody did it."""
    kind, name, address = ("", "", "") if actor is None else (actor.kind, actor.name, actor.address)
    return {"actor_kind": kind, "actor_name": name, "actor_address": address}


def take_actor(fields: dict[str, Any]) -> dict[str, Any]:
    """A row's fields, with an actor in place of its columns."""
    kind, name, address = (fields.pop(f"actor_{part}") for part in ("kind", "name", "address"))
    return {**fields, "actor": Actor(kind=kind, name=name, address=address) if kind else None}


def upsert(connection: Connection, table: Table, key: Sequence[str], *rows: Mapping[str, object]) -> None:
    """Insert each row, or change the one that has its key. All rows have the same columns."""
    statement = insert_into(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), rows)


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what to do about a row that is there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
