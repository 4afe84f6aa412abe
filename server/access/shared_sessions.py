"""Sessions that somebody ended, the same at all daemons with one database."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.pause import Pause
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.access.ended_sessions import EndedSessions
from server.access.sessions import LASTS_S

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl")

_LOOK_S = 5.0
_END_S = 3.0
"""How long somebody who signs out waits for the database: his session has ended here already."""


class SharedSessions:
    """`run` compares again and again, so what could not be written while the database was away is written later."""

    def __init__(self, registry: Registry, ended: EndedSessions) -> None:
        self._registry = registry
        self._ended = ended
        self._pause = Pause()

    def hasten(self) -> None:
        """Somebody ended one elsewhere."""
        self._pause.hasten()

    async def tell(self) -> None:
        """What was ended here, if the database is there."""
        with suppress(RegistryUnavailable):
            await self._exchange(_END_S)

    async def run(self) -> None:
        while True:
            try:
                await self._exchange()
            except RegistryUnavailable as error:  # as others have said
                log.debug("sessions that were ended elsewhere can't be read: %s", error)
            except Exception:
                log.exception("a failure of Pawl's own while reading ended sessions; it is tried again")
            await self._pause.wait(_LOOK_S)

    async def _exchange(self, timeout_s: float = 10.0) -> None:
        ours = {session: datetime.fromtimestamp(at, UTC) for session, at in self._ended.all.items()}
        found = await self._registry.perform(partial(_exchanged, ours), timeout_s)
        self._ended.take({session: at.timestamp() for session, at in found.items()})


def _exchanged(ours: Mapping[str, datetime], transaction: Transaction) -> Mapping[str, datetime]:
    ends = datetime.now(UTC) - timedelta(seconds=LASTS_S)
    transaction.ended_sessions.forget(ends)
    found = transaction.ended_sessions.all()
    transaction.ended_sessions.add({one: at for one, at in ours.items() if one not in found and at >= ends})
    return found
