"""One transaction of the registry's: what is done in it is done as a whole, or not at all."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

from registry.tables.deployments import Deployments
from registry.tables.ended_sessions import EndedSessions
from registry.tables.events import AUDIT_DAYS, Events
from registry.tables.keys import Keys
from registry.tables.leases import Leases
from registry.tables.open_runs import OpenRuns
from registry.tables.pins import Pins
from registry.tables.rejections import Rejections
from registry.tables.runs import Runs
from registry.tables.traffic import TrafficTable
from registry.tables.usage import UsageTable


class Transaction:
    """The tables. Their methods block, and raise RegistryUnavailable by way of the transaction's block."""

    def __init__(self, connection: Connection, audit_days: int = AUDIT_DAYS) -> None:
        self._connection = connection
        self.events = Events(connection, audit_days)
        self.pins = Pins(connection)
        self.rejections = Rejections(connection)
        self.deployments = Deployments(connection)
        self.runs = Runs(connection)
        self.open_runs = OpenRuns(connection)
        self.leases = Leases(connection)
        self.traffic = TrafficTable(connection)
        self.usage = UsageTable(connection)
        self.keys = Keys(connection)
        self.ended_sessions = EndedSessions(connection)

    def size_bytes(self) -> int:
        """What the whole database takes."""
        is_postgres = self._connection.dialect.name == "postgresql"
        pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        statement = "SELECT pg_database_size(current_database())" if is_postgres else pages
        return int(self._connection.execute(text(statement)).scalar_one())
