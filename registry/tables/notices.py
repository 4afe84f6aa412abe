"""Says in a transaction what it changes, so that other daemons with the same database hear of it at its commit.

https://www.postgresql.org/docs/current/sql-notify.html
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

from registry.topics import CHANNEL, Topic


def notify(connection: Connection, topic: Topic) -> None:
    """Once for a transaction, however often it is called. SQLite serves one daemon, which nobody need tell."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, :topic)"), {"channel": CHANNEL, "topic": topic.value})
