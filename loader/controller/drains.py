"""Pools that are no longer live: they answer what they have, and end."""

from __future__ import annotations

import asyncio

from core.task import spawn
from loader.workers.pool import Pool


class Drains:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, pool: Pool) -> asyncio.Task[None]:
        """Done once the pool has ended."""
        task = spawn(pool.stop(), f"drain of {pool.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def over(self) -> None:
        """Until all have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)
