"""What servers have taken of their machines: sums by server and time, in the resolutions of the history of traffic."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Column, Float, Integer, SmallInteger, String, Table, delete, select
from sqlalchemy.engine import Connection

from core.traffic.resolution import RESOLUTIONS, Resolution
from core.usage import UsageSums
from registry.tables.columns import insert_into, metadata

_usage = Table(
    "usage",
    metadata,
    Column("step", SmallInteger, primary_key=True, autoincrement=False),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("server", String(40), primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("cores", Float, nullable=False),
    Column("cores_samples", Integer, nullable=False),
    Column("gpu_memory_bytes", BigInteger, nullable=False),
    Column("gpu_samples", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""`step` and `at` are minutes, as in the table of traffic."""
_KEY = ("step", "at", "server")
_sums = [_usage.c[name] for name in UsageSums.__struct_fields__]


class UsageRow(NamedTuple):
    at_s: int
    """Where it begins, in seconds since 1970."""
    sums: UsageSums


class UsageTable:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, server: str, at_s: float, sums: UsageSums) -> None:
        """To what there is of that time, in every resolution."""
        values = msgspec.structs.asdict(sums)
        rows = [
            {"step": each.step_s // 60, "at": int(at_s) // each.step_s * each.step_s // 60, "server": server, **values}
            for each in RESOLUTIONS
        ]
        statement = insert_into(self._connection, _usage)
        added = {column.name: column + statement.excluded[column.name] for column in _sums}
        self._connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=added), rows)

    def read(self, resolution: Resolution, from_s: int, to_s: int) -> Iterable[UsageRow]:
        """Of every server, what begins from the one moment on and before the other."""
        chosen = select(_usage.c.at, *_sums).where(
            _usage.c.step == resolution.step_s // 60, _usage.c.at >= from_s // 60, _usage.c.at < to_s // 60
        )
        for at, *sums in self._connection.execute(chosen.order_by(_usage.c.at)):
            yield UsageRow(at * 60, UsageSums(*sums))

    def thin(self, now: datetime) -> None:
        """Forget what is older than its resolution is kept for."""
        for resolution in RESOLUTIONS:
            oldest = (int(now.timestamp()) - resolution.kept_s) // 60
            self._connection.execute(
                delete(_usage).where(_usage.c.step == resolution.step_s // 60, _usage.c.at < oldest)
            )
