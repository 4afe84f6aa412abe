"""The registry and its event log, as a part of the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.settings.settings import Settings
from registry.event_log import EventLog
from registry.registry import Registry
from server.process.data_dir import DataDir

_WRITE_DOWN_S = 2.0
"""For what waits to be written when the daemon stops."""


def build_registry(settings: Settings, data: DataDir) -> RegistryPart:
    """In the database of DATABASE_URL, or in a file in DATA_DIR."""
    file = None if settings.database_url else data.path / "registry.db"
    return RegistryPart(settings.database_url or f"sqlite:///{file}", file, settings.audit_days)


class RegistryPart:
    """The registry, and the event log, which is written to it once `begin` was called."""

    def __init__(self, database_url: str, file: Path | None, audit_days: int = 400) -> None:
        """`file`: where the database is, if it is a file of our own. `audit_days`: how long what people did is kept."""
        self.registry = Registry(database_url, file=file, audit_days=audit_days)
        self.log = EventLog(self.registry)

    async def start(self) -> None:
        """Nothing yet: see `begin`."""

    def begin(self) -> None:
        """Write events down from now on, those that were recorded so far first."""
        self.log.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self.log.close, _WRITE_DOWN_S)
        await asyncio.to_thread(self.registry.close)
