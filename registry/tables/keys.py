"""Keys. One that was revoked stays as a row without use, so that no copy of an older state brings it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Float, String, Table, select, update
from sqlalchemy.engine import Connection, Row

from core.keys import Key, Scope
from registry.tables.columns import (
    Json,
    Moment,
    Prose,
    actor_columns,
    actor_values,
    insert_into,
    metadata,
    take_actor,
)
from registry.tables.notices import notify
from registry.topics import Topic

_keys = Table(
    "keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("name", Prose(255), nullable=False),
    Column("scopes", Json, nullable=False, server_default="[]"),
    Column("models", Json, nullable=False, server_default="null"),
    Column("rate", Float),
    Column("expires", Moment),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    *actor_columns(),
)
_c = _keys.c


class Keys:
    """By id. Kept is a digest, never a key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *keys: Key) -> None:
        """One whose id is there already, revoked or not, stays as it is."""
        if keys:
            statement = insert_into(self._connection, _keys).on_conflict_do_nothing(index_elements=["id"])
            self._connection.execute(statement, [_values(key) for key in keys])
            notify(self._connection, Topic.KEYS)

    def revoke(self, id: str, at: datetime) -> Key | None:
        """The key, which is valid no longer; None where there is no valid one of that id."""
        is_it = (_c.id == id) & _c.revoked_at.is_(None)
        row = self._connection.execute(select(_keys).where(is_it)).one_or_none()
        self._connection.execute(update(_keys).where(is_it).values(revoked_at=at))
        notify(self._connection, Topic.KEYS)
        return None if row is None else _key(row)

    def valid(self) -> list[Key]:
        """Those that were not revoked, expired ones among them, the newest first."""
        chosen = select(_keys).where(_c.revoked_at.is_(None)).order_by(_c.created_at.desc(), _c.id)
        return [_key(row) for row in self._connection.execute(chosen)]

    def unknown(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that no row has, not even one that was revoked: this database is another one."""
        return set(ids) - set(self._connection.scalars(select(_c.id)))


def _values(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "digest": key.digest,
        "name": key.name,
        "scopes": key.scopes,
        "models": key.models,
        "rate": key.rate,
        "expires": key.expires,
        "created_at": key.created_at,
        **actor_values(key.created_by),
    }


def _key(row: Row[Any]) -> Key:
    fields = take_actor(dict(row._mapping))
    del fields["revoked_at"]
    scopes = tuple(Scope(scope) for scope in fields.pop("scopes") if scope in set(Scope))  # a newer Pawl may have more
    models = fields.pop("models")
    creator = fields.pop("actor")
    return Key(**fields, scopes=scopes, models=None if models is None else tuple(models), created_by=creator)
