"""The durable record of events, as a part of the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.events import Event
from registry.event_writer import EventWriter
from server.event_log import KEPT, EventLog

_WRITE_DOWN_S = 2.0
"""For what waits to be written when the daemon stops."""


class Record:
    """The event log, and the database that it is written to once `begin` was called."""

    def __init__(self, database_url: str, file: Path | None) -> None:
        """`file`: where the database is, if it is a file of our own. For the loop's own thread."""
        self.log = EventLog()
        self._loop = asyncio.get_running_loop()
        self._writer = EventWriter(database_url, self._remember, KEPT, file=file)

    async def start(self) -> None:
        """Nothing yet: see `begin`."""

    def begin(self) -> None:
        """Write events down from now on, those that were recorded so far first."""
        self._writer.start()
        self.log.write_to(self._writer.write)

    async def stop(self) -> None:
        await asyncio.to_thread(self._writer.close, _WRITE_DOWN_S)

    def _remember(self, earlier: list[Event]) -> None:
        self._loop.call_soon_threadsafe(self.log.remember, earlier)
