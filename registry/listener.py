"""Hears at once what another daemon changed in the same database, where that is PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from core.redaction import redact, secrets_in
from registry.topics import CHANNEL, Topic

log = logging.getLogger("pawl.registry")

_PAUSE_S = 2.0


class Listener:
    """Has a connection of its own. While there is none, and behind a pooler that passes no notices on, it hears
    nothing: whoever is told by it looks at the database now and then besides.
    """

    def __init__(self, url: str, heard: Mapping[Topic, Callable[[], None]], pause_s: float = _PAUSE_S) -> None:
        """`url`: a SQLAlchemy URL. `heard`: what to call on each topic, in the loop's thread; also whenever it has
        connected, for what was said before. `pause_s`: between two tries to connect."""
        self._url = url
        self._heard = heard
        self._pause_s = pause_s

    async def run(self) -> None:
        """For ever; returns at once for a database that tells nothing."""
        parameters = await asyncio.to_thread(_parameters, self._url)
        if parameters is None:
            return
        from psycopg import Error  # imported by now, which takes longer than the loop may stand still

        while True:
            try:
                await self._listen(parameters)
            except (Error, OSError) as error:
                log.debug("what other daemons write is not heard: %s", self._redacted(str(error)))
            except Exception:
                trace = self._redacted(traceback.format_exc())
                log.error("a failure of Pawl's own while listening to other daemons; it is tried again\n%s", trace)
            await asyncio.sleep(self._pause_s)

    async def _listen(self, parameters: Mapping[str, Any]) -> None:
        from psycopg import AsyncConnection

        async with await AsyncConnection.connect(**parameters, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            for hear in self._heard.values():
                hear()
            async for notice in connection.notifies():
                if notice.payload in self._heard:  # a newer Pawl may have more topics
                    self._heard[Topic(notice.payload)]()

    def _redacted(self, text: str) -> str:
        return redact(text, secrets_in(self._url))


def _parameters(url: str) -> Mapping[str, Any] | None:
    import psycopg  # noqa: F401 (see `run`)

    from registry.database import postgres_parameters

    return postgres_parameters(url)
