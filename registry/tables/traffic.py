"""The history of traffic: buckets by series and time, in four resolutions, each kept for as long as it says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    delete,
    insert,
    select,
    tuple_,
)
from sqlalchemy import text as sql
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Row as SqlRow

from core.traffic.bucket import Bucket, Series, Stage, merge
from core.traffic.packing import pack, unpack
from core.traffic.resolution import FINEST, RESOLUTIONS, Resolution
from core.traffic.selection import Selection
from registry.tables.columns import Moment, metadata, text, upsert

_series = Table(
    "traffic_series",
    metadata,
    Column("id", Integer, primary_key=True),
    text("model", 255),
    text("version", 40),
    text("stage", 20),
    text("commit", 80),
    text("run", 40),
    Index("traffic_series_by_model", "model", "version", "stage", "commit", "run", unique=True),
)
_traffic = Table(
    "traffic",
    metadata,
    Column("step", SmallInteger, primary_key=True, autoincrement=False),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("bucket", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""`step` and `at`, where it begins, in minutes (since 1970, UTC): there are a million rows, and each byte counts."""
_written = Table(
    "traffic_written",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("at", Moment, nullable=False),
    Index("traffic_written_by_time", "at"),
)
_KEYS_KEPT = timedelta(days=2)
_AT_ONCE = 100
"""Series of one statement: a database bounds how many values that may have."""
_LOCK = 0x74726166
"""Of the advisory lock that has replicas add one after the other: "traf" in ASCII."""


_c = _series.c
T = TypeVar("T")


class Row(NamedTuple):
    """A bucket as it lies in the table."""

    at_s: int
    """Where it begins, in seconds since 1970."""
    bucket: bytes


class TrafficTable:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: str, at_s: int, buckets: Mapping[Series, Bucket], resolution: Resolution = FINEST) -> bool:
        """Add buckets that begin then to what is there, in this resolution and the coarser ones.

        False where those of that key are in it already: nobody may know whether a commit arrived.
        """
        self._take_turns()
        if self.written([key]):
            return False
        ids = self._ids(buckets)
        rows = [(ids[series], bucket) for series, bucket in buckets.items()]
        for each in RESOLUTIONS:
            if each.step_s >= resolution.step_s:
                self._add(each.step_s // 60, at_s // each.step_s * each.step_s // 60, rows)
        self._connection.execute(insert(_written).values(key=key, at=datetime.now(UTC)))
        return True

    def written(self, keys: Collection[str]) -> set[str]:
        """Those of which the buckets are in the table."""
        return set(self._connection.scalars(select(_written.c.key).where(_written.c.key.in_(keys)))) if keys else set()

    def read(self, selection: Selection, resolution: Resolution, from_s: int, to_s: int) -> list[Row]:
        """All that begins from the one moment on and before the other."""
        ids = list(self._connection.scalars(select(_series.c.id).where(*_conditions(selection))))
        rows: list[Row] = []
        for some in _portions(ids):
            chosen = select(_traffic.c.at, _traffic.c.bucket).where(
                _traffic.c.step == resolution.step_s // 60,
                _traffic.c.series.in_(some),
                _traffic.c.at >= from_s // 60,
                _traffic.c.at < to_s // 60,
            )
            rows += [Row(at * 60, bucket) for at, bucket in self._connection.execute(chosen)]
        return rows

    def knows(self, selection: Selection) -> bool:
        """Whether there is any such series."""
        chosen = select(_series.c.id).where(*_conditions(selection)).limit(1)
        return self._connection.execute(chosen).first() is not None

    def thin(self, now: datetime) -> None:
        """Forget what is older than its resolution is kept for."""
        self._take_turns()
        for resolution in RESOLUTIONS:
            oldest = (int(now.timestamp()) - resolution.kept_s) // 60
            of_it = (_traffic.c.step == resolution.step_s // 60) & _traffic.c.series.in_(select(_series.c.id))
            self._connection.execute(delete(_traffic).where(of_it, _traffic.c.at < oldest))
        steps = [resolution.step_s // 60 for resolution in RESOLUTIONS]
        left = select(1).where(_traffic.c.series == _series.c.id, _traffic.c.step.in_(steps))
        self._connection.execute(delete(_series).where(~left.exists()))
        self._connection.execute(delete(_written).where(_written.c.at < now - _KEYS_KEPT))

    def _take_turns(self) -> None:
        """SQLite's transactions do so anyway."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(sql("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})

    def _add(self, step: int, at: int, rows: Sequence[tuple[int, Bucket]]) -> None:
        for some in _portions(rows):
            chosen = select(_traffic.c.series, _traffic.c.bucket).where(
                _traffic.c.step == step, _traffic.c.at == at, _traffic.c.series.in_([series for series, _ in some])
            )
            there = {series: unpack(bucket) for series, bucket in self._connection.execute(chosen)}
            together = [
                {"step": step, "series": series, "at": at, "bucket": pack(_sum(there.get(series), bucket))}
                for series, bucket in some
            ]
            upsert(self._connection, _traffic, ["step", "series", "at"], *together)

    def _ids(self, wanted: Iterable[Series]) -> dict[Series, int]:
        """Of each, which is added where it isn't there."""
        found: dict[Series, int] = {}
        for some in _portions([*wanted]):
            found |= self._found(some)
            if missing := [_values(series) for series in some if series not in found]:
                self._connection.execute(insert(_series), missing)
                found |= self._found(some)
        return found

    def _found(self, some: Sequence[Series]) -> dict[Series, int]:
        columns = (_c.model, _c.version, _c.stage, _c.commit, _c.run)
        chosen = select(_series).where(tuple_(*columns).in_([tuple(_values(series).values()) for series in some]))
        return {_one(row): row.id for row in self._connection.execute(chosen)}


def _conditions(selection: Selection) -> list[ColumnElement[bool]]:
    conditions = [_c.model == selection.model, _c.stage.in_([stage.value for stage in selection.stages])]
    if selection.version:
        conditions.append(_c.version == selection.version)
    if selection.run:
        conditions.append(_c.run == selection.run)
    return conditions


def _values(series: Series) -> dict[str, str]:
    return {
        "model": series.model,
        "version": series.version,
        "stage": series.stage.value,
        "commit": series.commit,
        "run": series.run,
    }


def _one(row: SqlRow[Any]) -> Series:
    return Series(row.model, row.version, Stage(row.stage), row.commit, row.run)


def _portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _sum(there: Bucket | None, more: Bucket) -> Bucket:
    return more if there is None else merge((there, more))
