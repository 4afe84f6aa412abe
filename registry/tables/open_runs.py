"""Runs that are not over: what people asked of any daemon, and how far the one that trains says they have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, String, Table, Text, and_, delete, or_, select
from sqlalchemy.engine import Connection

from registry.tables.columns import Moment, insert_into, metadata, upsert
from registry.tables.notices import notify
from registry.topics import Topic

_open = Table(
    "open_runs",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("asked_at", Moment),
    Column("state", Text, nullable=False),
)


@dataclass(frozen=True)
class OpenRunRow:
    run: str
    """The run key."""
    asked_at: datetime | None
    """When a person last asked for it; None: nobody has."""
    state: str
    """JSON, as the trainer writes it."""


class OpenRuns:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[OpenRunRow]:
        rows = self._connection.execute(select(_open).order_by(_open.c.run))
        return [OpenRunRow(row.run, row.asked_at, row.state) for row in rows]

    def ask(self, run: str, state: str) -> OpenRunRow:
        """A person asks for it, or asks again."""
        row = OpenRunRow(run, datetime.now(UTC), state)
        upsert(self._connection, _open, ["run"], asdict(row))
        notify(self._connection, Topic.RUNS)
        return row

    def tell(self, states: Mapping[str, str], *, is_urgent: bool = True) -> None:
        """By run key; whether a person asked for it stays as it was. `is_urgent`: whether others are to hear of it at
        once; they look now and then besides."""
        if states:
            statement = insert_into(self._connection, _open)
            told = statement.on_conflict_do_update(index_elements=["run"], set_={"state": statement.excluded.state})
            self._connection.execute(told, [{"run": run, "state": state} for run, state in states.items()])
            if is_urgent:
                notify(self._connection, Topic.RUNS)

    def forget(self, rows: Iterable[OpenRunRow]) -> None:
        """They are over, unless somebody has asked again since."""
        same = [and_(_open.c.run == row.run, _open.c.asked_at.is_not_distinct_from(row.asked_at)) for row in rows]
        if same:
            self._connection.execute(delete(_open).where(or_(*same)))
            notify(self._connection, Topic.RUNS)
