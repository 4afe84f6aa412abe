"""Which of several replicas does what only one may do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Column, String, Table, delete, func, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from registry.tables.columns import Moment, metadata

_leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("until", Moment, nullable=False),
)


class Leases:
    """By name. SQLite serves one daemon, which has every lease."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_alone = connection.dialect.name == "sqlite"

    def take(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew it for so long, by the database's clock; whether it is the holder's now.

        The holder counts the seconds from before the call. One statement, so that of two who ask one gets it.
        """
        if self._is_alone:
            return True
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        statement = postgresql.insert(_leases).values(name=name, holder=holder, until=until)
        is_free = or_(_leases.c.holder == holder, _leases.c.until <= func.clock_timestamp())
        taken = statement.on_conflict_do_update(
            index_elements=["name"], set_={"holder": holder, "until": until}, where=is_free
        )
        return self._connection.execute(taken.returning(_leases.c.name)).first() is not None

    def is_held(self, name: str, holder: str) -> bool:
        """Whether it is the holder's in this transaction: until its end nobody else can take it."""
        if self._is_alone:
            return True
        held = select(_leases.c.name).where(
            _leases.c.name == name, _leases.c.holder == holder, _leases.c.until > func.clock_timestamp()
        )
        return self._connection.execute(held.with_for_update()).first() is not None

    def give_back(self, name: str, holder: str) -> None:
        """So that another needn't wait for its end."""
        self._connection.execute(delete(_leases).where(_leases.c.name == name, _leases.c.holder == holder))
