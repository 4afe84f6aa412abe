"""Sessions that somebody ended before their time, so that no other daemon takes them either."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, String, Table, delete, select
from sqlalchemy.engine import Connection

from registry.tables.columns import Moment, insert_into, metadata
from registry.tables.notices import notify
from registry.topics import Topic

_ended = Table(
    "ended_sessions",
    metadata,
    Column("session", String(40), primary_key=True),
    Column("at", Moment, nullable=False),
)


class EndedSessions:
    """By their ids, which are no secret: a session takes a signature, too."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, datetime]:
        """When each was ended."""
        return {row.session: row.at for row in self._connection.execute(select(_ended))}

    def add(self, ended: Mapping[str, datetime]) -> None:
        """One that is there already stays as it is."""
        if ended:
            statement = insert_into(self._connection, _ended).on_conflict_do_nothing(index_elements=["session"])
            self._connection.execute(statement, [{"session": one, "at": at} for one, at in ended.items()])
            notify(self._connection, Topic.SESSIONS)

    def forget(self, before: datetime) -> None:
        """Those whose cookies hold no longer."""
        self._connection.execute(delete(_ended).where(_ended.c.at < before))
