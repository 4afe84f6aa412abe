"""The loader, as a part of the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.task import spawn
from loader.controller.on_demand import OnDemand
from loader.reconcile import Reconciler
from loader.workers.pool import Pool
from loader.workers.process.warm_workers import WarmWorkers
from loader.workers.starter import Starter

_WORKERS_END_S = 2.0
"""For what authors do when Python exits; no request is left by then."""


@dataclass
class LoaderPart:
    """Serves what was live last from its start on, and follows the source; its stop leaves no worker."""

    reconciler: Reconciler
    on_demand: OnDemand
    starter: Starter
    warm_workers: WarmWorkers
    known: Callable[[], Awaitable[None]]
    """Returns once it is known what people decided, or for now can't be."""
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.reconciler.restore()
        self._task = spawn(self._follow(), "reconcile")

    async def _follow(self) -> None:
        await self.known()
        await self.reconciler.run()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.starter.close()
        await asyncio.gather(
            self.reconciler.close(_WORKERS_END_S), self.on_demand.close(_WORKERS_END_S), self.warm_workers.close()
        )
        await asyncio.gather(*(pool.kill() for pool in self.starter.pools()))

    def serving_pools(self) -> list[Pool]:
        """Those that answer requests: of what is live, and of versions asked for by name."""
        return [*self.reconciler.live_pools(), *self.on_demand.pools()]

    async def look(self) -> None:
        """Have the source looked at soon."""
        self.reconciler.wake()
