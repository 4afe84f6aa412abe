"""One transaction of the registry's: what is done in it is done as a whole, or not at all."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from registry.tables.deployments import Deployments
from registry.tables.events import AUDIT_DAYS, Events
from registry.tables.keys import Keys
from registry.tables.leases import Leases
from registry.tables.pins import Pins
from registry.tables.rejections import Rejections
from registry.tables.runs import Runs
from registry.tables.traffic import TrafficTable


class Transaction:
    """The tables. Their methods block, and raise RegistryUnavailable by way of the transaction's block."""

    def __init__(self, connection: Connection, audit_days: int = AUDIT_DAYS) -> None:
        self.events = Events(connection, audit_days)
        self.pins = Pins(connection)
        self.rejections = Rejections(connection)
        self.deployments = Deployments(connection)
        self.runs = Runs(connection)
        self.leases = Leases(connection)
        self.traffic = TrafficTable(connection)
        self.keys = Keys(connection)
