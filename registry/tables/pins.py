"""What operators hold a model at, until they lift it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, String, Table, delete, select
from sqlalchemy.engine import Connection, Row

from core.steering import Pin
from registry.tables.columns import Moment, actor_columns, actor_values, metadata, prose, take_actor, text, upsert
from registry.tables.notices import notify
from registry.topics import Topic

_pins = Table(
    "pins",
    metadata,
    Column("model", String(255), primary_key=True),
    Column("release", String(64), nullable=False),
    text("version", 40),
    text("commit", 80),
    text("run", 40),
    Column("at", Moment, nullable=False),
    *actor_columns(),
    prose("reason"),
)


class Pins:
    """One for each model that has one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, Pin]:
        """By model."""
        return {row.model: _pin(row) for row in self._connection.execute(select(_pins))}

    def of(self, model: str) -> Pin | None:
        row = self._connection.execute(select(_pins).where(_pins.c.model == model)).one_or_none()
        return None if row is None else _pin(row)

    def put(self, pin: Pin) -> None:
        """In place of the model's pin, if it has one."""
        values = {
            "model": pin.model,
            "release": pin.release,
            "version": pin.version,
            "commit": pin.commit,
            "run": pin.run,
            "at": pin.at,
            "reason": pin.reason,
            **actor_values(pin.actor),
        }
        upsert(self._connection, _pins, ["model"], values)
        notify(self._connection, Topic.DECISIONS)

    def lift(self, model: str) -> bool:
        """Whether there was one."""
        notify(self._connection, Topic.DECISIONS)
        return self._connection.execute(delete(_pins).where(_pins.c.model == model)).rowcount > 0


def _pin(row: Row[Any]) -> Pin:
    return Pin(**take_actor(dict(row._mapping)))
