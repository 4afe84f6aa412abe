"""Writes the history of traffic down, minute by minute, as a part of the daemon."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.task import spawn
from core.traffic.bucket import Bucket, Series
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.traffic.history.leftover import Leftover
from server.traffic.history.minutes import Batch, Minutes

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl.registry")

_LOOK_S = 1.0
_THIN_S = 3600.0
_LAST_TRIES_S = 3.0
"""For what waits to be written when the daemon stops."""


class TrafficWriter:
    """Takes what is counted, and writes it down once its minute is over; while the registry is away, it waits."""

    def __init__(self, registry: Registry, leftover: Leftover, now: Callable[[], float] = time.time) -> None:
        """`now`: seconds since 1970."""
        self.minutes = Minutes()
        self.writing = asyncio.Lock()
        """Held while something is being written, so that whoever reads counts nothing twice."""
        self._registry = registry
        self._leftover = leftover
        self._has_leftover = False
        self._now = now
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""
        """What keeps it from writing, as it was last said."""
        self._thin_at = 0.0

    def take(self, series: Series, bucket: Bucket) -> None:
        self.minutes.add(series, bucket, self._now())

    async def start(self) -> None:
        earlier = self._leftover.read()
        self.minutes.put_back(earlier)
        self._has_leftover = bool(earlier)
        self._task = spawn(self._run(), "history of traffic")

    async def stop(self) -> None:
        """Write all that there is, the minute that goes on among it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.minutes.close(self._now(), early=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_TRIES_S):
                await self._write_all()
        self._keep_what_is_left()

    async def write(self) -> bool:
        """Write what waits; whether nothing waits any more."""
        while (batch := self.minutes.next()) is not None:
            async with self.writing:
                if not await self._write(batch):
                    return False
                self.minutes.done()
        if self._has_leftover:
            self._leftover.forget()
            self._has_leftover = False
        return True

    def _keep_what_is_left(self) -> None:
        left = list(self.minutes.unwritten())
        if not left:
            return
        try:
            self._leftover.save(left)
        except OSError as error:
            log.error("the registry's database is away, and %d minutes of traffic are lost: %s", len(left), error)
        else:
            log.warning("the registry's database is away; the next start writes %d minutes of traffic down", len(left))

    async def _write_all(self) -> None:
        while not await self.write():  # noqa: ASYNC110  a database says nothing when it is back
            await asyncio.sleep(self._registry.pause_s / 4)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S if not self._trouble else self._registry.pause_s)
            try:
                self.minutes.close(self._now())
                if await self.write():
                    await self._thin()
            except Exception:
                log.exception("a failure of Pawl's own while writing traffic down; it goes on")

    async def _write(self, batch: Batch) -> bool:
        def add(transaction: Transaction) -> None:
            transaction.traffic.add(batch.key, batch.at_s, batch.buckets, batch.resolution)

        try:
            await self._registry.perform(add)
        except RegistryUnavailable as error:
            self._note_trouble(str(error))
            return False
        self._note_trouble("")
        return True

    async def _thin(self) -> None:
        """Forget what is old, once an hour."""
        now = self._now()
        if now < self._thin_at:
            return
        self._thin_at = now + _THIN_S
        with suppress(RegistryUnavailable):
            await self._registry.perform(lambda transaction: transaction.traffic.thin(datetime.fromtimestamp(now, UTC)))

    def _note_trouble(self, trouble: str) -> None:
        """Say it once, and once when it is over."""
        if trouble and not self._trouble:
            log.error("the history of traffic waits in memory: %s", trouble)
        elif self._trouble and not trouble:
            log.info("the history of traffic is written down again")
        self._trouble = trouble
