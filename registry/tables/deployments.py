"""The ledger of what was live, from when until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, String, Table, or_, select, update
from sqlalchemy import text as sql
from sqlalchemy.engine import Connection, Row

from core.events import PEOPLE
from core.steering import Cause, Deployment
from registry.tables.columns import (
    Moment,
    actor_columns,
    actor_values,
    insert_into,
    metadata,
    prose,
    take_actor,
    text,
)

_deployments = Table(
    "deployments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", String(255), nullable=False),
    Column("release", String(64), nullable=False),
    text("version", 40),
    text("commit", 80),
    text("run", 40),
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("cause", String(20), nullable=False),
    *actor_columns(),
    prose("reason"),
    Index("deployments_by_model", "model", "id"),
    Index(
        "deployments_now",
        "model",
        unique=True,
        sqlite_where=sql("ended_at IS NULL"),
        postgresql_where=sql("ended_at IS NULL"),
    ),
)
_c = _deployments.c


class Deployments:
    """At most one of each model goes on; replicas that say the same make one entry."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, deployment: Deployment, since: datetime | None = None) -> bool:
        """End what was live, and begin this; False if the same is live already, or was, and others have gone on since.

        `since`: when what was live before it went live where this is told. Who did it is added
        where that was not known.
        """
        going_on = (_c.model == deployment.model) & _c.ended_at.is_(None)
        now = self._connection.execute(select(_deployments).where(going_on)).one_or_none()
        if now is not None and _named(now) == _named(deployment):
            self._tell_who(now, deployment)
            return False
        if since is not None and (begun := self._begun(deployment, since)) is not None:
            if begun.ended_at > deployment.began_at:  # else it may be over since before anybody asked for this one
                self._tell_who(begun, deployment)
            return False
        if now is not None:  # that entry alone: another replica may have begun one meanwhile
            seen = going_on & (_c.id == now.id)
            self._connection.execute(update(_deployments).where(seen).values(ended_at=deployment.began_at))
        statement = insert_into(self._connection, _deployments).values(_values(deployment))
        written = self._connection.execute(statement.on_conflict_do_nothing().returning(_c.id)).first()
        # None: another replica began one in the same moment, which can be seen by now
        return written is not None or self.begin(deployment, since)

    def going_on(self, model: str) -> Deployment | None:
        """What is live."""
        chosen = select(_deployments).where(_c.model == model, _c.ended_at.is_(None))
        row = self._connection.execute(chosen).one_or_none()
        return None if row is None else _deployment(row)

    def end(self, model: str, at: datetime) -> None:
        """Nothing of the model is live from then on."""
        going_on = (_c.model == model) & _c.ended_at.is_(None)
        self._connection.execute(update(_deployments).where(going_on).values(ended_at=at))

    def _tell_who(self, now: Row[Any], deployment: Deployment) -> None:
        if deployment.actor is not None and deployment.actor.kind in PEOPLE and now.actor_kind not in PEOPLE:
            told = {"cause": deployment.cause.value, "reason": deployment.reason, **actor_values(deployment.actor)}
            self._connection.execute(update(_deployments).where(_c.id == now.id).values(told))

    def _begun(self, deployment: Deployment, since: datetime) -> Row[Any] | None:
        """The entry of another replica, which has been there before, and is ahead."""
        same = (_c.model == deployment.model) & (_c.release == deployment.release)
        same &= (_c.version == deployment.version) & (_c.run == deployment.run)
        chosen = select(_deployments).where(same, _c.began_at >= since, _c.ended_at.is_not(None))
        return self._connection.execute(chosen.order_by(_c.id.desc()).limit(1)).first()

    def listed(
        self, model: str, *, at: datetime | None = None, limit: int = 100, cursor: int | None = None
    ) -> tuple[list[Deployment], int | None]:
        """The newest first, and the cursor of what follows. `at`: what was live then."""
        chosen = select(_deployments).where(_c.model == model).order_by(_c.id.desc()).limit(limit + 1)
        if at is not None:
            chosen = chosen.where(_c.began_at <= at, or_(_c.ended_at.is_(None), _c.ended_at > at))
        if cursor is not None:
            chosen = chosen.where(_c.id < cursor)
        rows = self._connection.execute(chosen).all()
        return [_deployment(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None

    def live_since(self) -> dict[tuple[str, str], datetime]:
        """Since when what is live now has been, by model and release."""
        chosen = select(_c.model, _c.release, _c.began_at).where(_c.ended_at.is_(None))
        return {(row.model, row.release): row.began_at for row in self._connection.execute(chosen)}

    def begun_between(self, begins: datetime, ends: datetime, model: str = "", most: int = 500) -> list[Deployment]:
        """The last ones that began from the one moment on and before the other, the oldest first; of any model where
        none is named."""
        chosen = select(_deployments).where(_c.began_at >= begins, _c.began_at < ends)
        if model:
            chosen = chosen.where(_c.model == model)
        rows = self._connection.execute(chosen.order_by(_c.began_at.desc(), _c.id.desc()).limit(most)).all()
        return [_deployment(row) for row in reversed(rows)]


def _named(told: Row[Any] | Deployment) -> tuple[str, str, str]:
    return told.release, told.version, told.run


def _values(deployment: Deployment) -> dict[str, object]:
    return {
        "model": deployment.model,
        "release": deployment.release,
        "version": deployment.version,
        "commit": deployment.commit,
        "run": deployment.run,
        "began_at": deployment.began_at,
        "ended_at": deployment.ended_at,
        "cause": deployment.cause.value,
        "reason": deployment.reason,
        **actor_values(deployment.actor),
    }


def _deployment(row: Row[Any]) -> Deployment:
    fields = take_actor(dict(row._mapping))
    del fields["id"]
    return Deployment(**{**fields, "cause": Cause(fields["cause"])})
