"""Releases that a rollback or a canary turned down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, String, Table, delete, select, update
from sqlalchemy.engine import Connection, Row

from core.steering import Rejection
from registry.tables.columns import Moment, actor_columns, actor_values, metadata, prose, take_actor, text, upsert
from registry.tables.notices import notify
from registry.topics import Topic

_rejections = Table(
    "rejections",
    metadata,
    Column("model", String(255), primary_key=True),
    Column("release", String(64), primary_key=True),
    text("version", 40),
    text("commit", 80),
    text("run", 40),
    Column("at", Moment, nullable=False),
    *actor_columns(),
    prose("reason"),
    text("to_release", 64),
    text("to_version", 40),
    text("to_commit", 80),
    text("to_run", 40),
    Column("pinned_at", Moment),
)


class Rejections:
    """A model may have several."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, model: str | None = None) -> list[Rejection]:
        """The newest first."""
        chosen = select(_rejections).order_by(_rejections.c.at.desc(), _rejections.c.release)
        if model is not None:
            chosen = chosen.where(_rejections.c.model == model)
        return [_rejection(row) for row in self._connection.execute(chosen)]

    def put(self, rejection: Rejection) -> None:
        """In place of the release's rejection, if it has one."""
        values = {
            "model": rejection.model,
            "release": rejection.release,
            "version": rejection.version,
            "commit": rejection.commit,
            "run": rejection.run,
            "at": rejection.at,
            "reason": rejection.reason,
            "to_release": rejection.to_release,
            "to_version": rejection.to_version,
            "to_commit": rejection.to_commit,
            "to_run": rejection.to_run,
            "pinned_at": rejection.pinned_at,
            **actor_values(rejection.actor),
        }
        upsert(self._connection, _rejections, ["model", "release"], values)
        notify(self._connection, Topic.DECISIONS)

    def mark_pinned(self, model: str, release: str, at: datetime) -> None:
        """Where it is rejected: it stays so."""
        one = (_rejections.c.model == model) & (_rejections.c.release == release)
        self._connection.execute(update(_rejections).where(one).values(pinned_at=at))
        notify(self._connection, Topic.DECISIONS)

    def lift(self, model: str, release: str) -> bool:
        """Whether it was rejected."""
        notify(self._connection, Topic.DECISIONS)
        one = (_rejections.c.model == model) & (_rejections.c.release == release)
        return self._connection.execute(delete(_rejections).where(one)).rowcount > 0


def _rejection(row: Row[Any]) -> Rejection:
    return Rejection(**take_actor(dict(row._mapping)))
