"""Training runs, by attempt."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, select
from sqlalchemy.engine import Connection, Row

from core.runs.records import RunRecord
from registry.tables.columns import Json, Moment, metadata, prose, text, upsert

_runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", String(255), nullable=False),
    Column("run", String(40), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    text("commit", 80),
    text("code_key", 40),
    text("reason", 40),
    prose("message"),
    prose("detail"),
    Column("scores", Json, nullable=False, server_default="{}"),
    prose("compared"),
    text("artifact", 80),
    Column("params", Json, nullable=False, server_default="{}"),
    Column("model_params", Json, nullable=False, server_default="{}"),
    prose("dataset_fingerprint", 255),
    prose("validation_fingerprint", 255),
    Column("queued_at", Moment, nullable=False),
    Column("began_at", Moment),
    Column("ended_at", Moment),
    Column("peak_memory", BigInteger, nullable=False, server_default="0"),
    Column("cpu_seconds", Float, nullable=False, server_default="0"),
    Column("packages", Json, nullable=False, server_default="{}"),
    prose("started_by", 255),
    Index("runs_by_attempt", "run", "model", "attempt", unique=True),
    Index("runs_by_model", "model", "id"),
    Index("runs_by_state", "state", "id"),
)
_c = _runs.c


class Runs:
    """The runs of all models, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, *records: RunRecord) -> None:
        """What is known of each attempt now, in place of what was."""
        if records:
            upsert(self._connection, _runs, ["run", "model", "attempt"], *map(_values, records))

    def listed(
        self, *, model: str | None = None, state: str | None = None, limit: int = 100, cursor: int | None = None
    ) -> tuple[list[RunRecord], int | None]:
        """The last attempt of each run, those queued last first, and the cursor of what follows."""
        later = _runs.alias("later")
        is_last = ~(
            select(later.c.id)
            .where(later.c.run == _c.run, later.c.model == _c.model, later.c.attempt > _c.attempt)
            .exists()
        )
        chosen = select(_runs).where(is_last).order_by(_c.id.desc()).limit(limit + 1)
        for column, wanted in ((_c.model, model), (_c.state, state)):
            if wanted is not None:
                chosen = chosen.where(column == wanted)
        if cursor is not None:
            chosen = chosen.where(_c.id < cursor)
        rows = self._connection.execute(chosen).all()
        return [_record(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None

    def one(self, run: str) -> RunRecord | None:
        """Its last attempt."""
        return next(iter(self.attempts(run)), None)

    def attempts(self, run: str) -> list[RunRecord]:
        """All of a run, the last first."""
        rows = self._connection.execute(select(_runs).where(_c.run == run).order_by(_c.attempt.desc()))
        return list(map(_record, rows))


def _values(record: RunRecord) -> dict[str, object]:
    return {**msgspec.structs.asdict(record), "state": str(record.state), "reason": str(record.reason)}


def _record(row: Row[Any]) -> RunRecord:
    fields = dict(row._mapping)
    del fields["id"]
    return RunRecord(**fields)
