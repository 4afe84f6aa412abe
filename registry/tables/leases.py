"""Which of several replicas does what only one may do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import BigInteger, Column, String, Table, case, func, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from registry.tables.columns import Moment, metadata

_leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("until", Moment, nullable=False),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
)
_ALONE = 1
"""The one epoch of a daemon that nobody shares its registry with."""


class Leases:
    """By name. SQLite serves one daemon, which has every lease."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_alone = connection.dialect.name == "sqlite"

    def take(self, name: str, holder: str, seconds: float) -> int:
        """Take or renew it for so long, by the database's clock; its epoch, or 0: it is another's. The epoch grows
        whenever the lease gets another holder.

        The holder counts the seconds from before the call. One statement, so that of two who ask one gets it.
        """
        if self._is_alone:
            return _ALONE
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        statement = postgresql.insert(_leases).values(name=name, holder=holder, until=until, epoch=1)
        is_same = _leases.c.holder == holder
        taken = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": until, "epoch": _leases.c.epoch + case((is_same, 0), else_=1)},
            where=or_(is_same, _leases.c.until <= func.clock_timestamp()),
        )
        return self._connection.execute(taken.returning(_leases.c.epoch)).scalar() or 0

    def is_held(self, name: str, holder: str, epoch: int) -> bool:
        """Whether it is the holder's in this transaction, and has been since that epoch began: until the transaction's
        end nobody else can take it."""
        if self._is_alone:
            return True
        held = select(_leases.c.name).where(
            _leases.c.name == name,
            _leases.c.holder == holder,
            _leases.c.epoch == epoch,
            _leases.c.until > func.clock_timestamp(),
        )
        return self._connection.execute(held.with_for_update()).first() is not None

    def give_back(self, name: str, holder: str) -> None:
        """So that another needn't wait for its end. The row stays, for the epoch."""
        ours = (_leases.c.name == name, _leases.c.holder == holder)
        self._connection.execute(update(_leases).where(*ours).values(until=func.clock_timestamp()))
