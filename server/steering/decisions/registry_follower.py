"""Keeps what people decided up to date with the registry, which other daemons may write to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from core.decisions import Decisions
from core.pause import Pause
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.steering.decisions.decided import Decided
from server.steering.decisions.restoring import rows_and_restored
from server.steering.decisions.rows import Rows

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for

log = logging.getLogger("pawl.steering")


class RegistryFollower:
    """`run` looks again and again; `take` is for what was written here."""

    def __init__(
        self,
        registry: Registry,
        decided: Decided,
        kept: Callable[[], Decisions],
        changed: Callable[[], None],
        pause_s: float,
    ) -> None:
        """`kept`: what was known last, for a registry that was begun anew. `changed` is called when something else was
        decided; `pause_s`: between two looks.
        """
        self.first = asyncio.Event()
        """Set once the registry was read."""
        self._registry = registry
        self._decided = decided
        self._kept = kept
        self._changed = changed
        self._pause_s = pause_s
        self._pause = Pause()
        self._taking = asyncio.Lock()
        self._trouble = ""
        self._writes = 0

    async def run(self) -> None:
        while True:
            await self._look()
            await self._pause.wait(self._pause_s if self._is_fine else self._registry.pause_s)

    def hasten(self) -> None:
        """Look soon: another daemon has written, or what was written here may have arrived although it failed."""
        self._pause.hasten()

    async def take(self, rows: Rows) -> None:
        """What was read in the transaction that changed it: decided from now on."""
        self._writes += 1
        await self._take(rows)

    @property
    def _is_fine(self) -> bool:
        return not self._trouble

    async def read(self) -> Rows:
        """What the registry has now, decided from then on. Raises RegistryUnavailable."""
        writes = self._writes
        rows = await self._registry.perform(partial(_read, self._kept()))
        if writes == self._writes:  # else they may be older than what was written here meanwhile
            await self._take(rows)
        return rows

    async def _look(self) -> None:
        try:
            await self.read()
            self._note("")
        except RegistryUnavailable as error:
            self._note(str(error))
        except Exception:
            log.exception("a failure of Pawl's own while reading what people decided; it is tried again")

    async def _take(self, rows: Rows) -> None:
        async with self._taking:
            is_news = self._decided.take(rows)
            if is_news:
                await asyncio.to_thread(self._decided.look_for)
            self.first.set()
        if is_news:
            self._changed()

    def _note(self, trouble: str) -> None:
        """Say it once, and once when it is over."""
        if trouble and not self._trouble:
            log.warning("pins and rejections that were known last hold, since they can't be read: %s", trouble)
        elif self._trouble and not trouble:
            log.info("pins and rejections are read again")
        self._trouble = trouble


def _read(kept: Decisions, transaction: Transaction) -> Rows:
    rows, restored = rows_and_restored(transaction, kept)
    if restored:
        transaction.events.append(restored)
        log.warning("the registry was begun anew; the pins and rejections that were known are in it again")
    return rows
