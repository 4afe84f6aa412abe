"""Kills one worker before the kernel kills the whole pod: an out-of-memory kill in a pod ends all its processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from core.process.resources import Memory, memory
from loader.workers.pool import Pool
from loader.workers.process.worker_process import WorkerProcess

log = logging.getLogger("pawl.loader")

FULL = 0.9
"""Share of the limit above which a worker is ended."""
_LOOK_S = 1.0


async def _relieve_nothing() -> bool:
    return False


class MemoryGuard:
    """Checks the memory in use every second."""

    def __init__(
        self,
        pools: Callable[[], Iterable[Pool]],
        look: Callable[[], Memory] = memory,
        relieve: Callable[[], Awaitable[bool]] = _relieve_nothing,
    ) -> None:
        """`relieve` frees memory that nothing live depends on (the warm workers'), and returns whether it freed any."""
        self._pools = pools
        self._look = look
        self._relieve = relieve

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.check()
            except Exception:
                log.exception("a failure of Pawl's own while checking memory")

    async def check(self) -> None:
        """End the worker, ready or being started, that is furthest over its share, if memory is nearly full."""
        now = self._look()
        if not now.limited or now.used <= FULL * now.limit or await self._relieve():
            return
        workers = [
            (worker, pool.release.manifest.serve.memory_mb) for pool in self._pools() for worker in pool.processes
        ]
        if not workers:
            return
        fair = int(FULL * now.limit) // len(workers)
        chosen = furthest_over((worker, worker.memory(), mb * 2**20 if mb else fair) for worker, mb in workers)
        await chosen.kill(
            f"was ended because {now.used // 2**20} of the pod's {now.limit // 2**20} MB are taken "
            "and it is furthest over its share; give the pod more, or the model a serve.memory_mb"
        )


def furthest_over(usage: Iterable[tuple[WorkerProcess, int, int]]) -> WorkerProcess:
    """Of (worker, bytes it takes, bytes of its share), at least one, the worker with the largest excess."""
    return max(usage, key=lambda one: one[1] - one[2])[0]
