"""Looks after all workers in one task: a timer for each pool would wake the daemon hundreds of times as often."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable

from loader.workers.pool import LOOK_S, Pool

log = logging.getLogger("pawl.loader")

_LOOKS_PER_WEIGHING = 4
"""Weighing a worker costs several times as much as looking at its board."""


class Watch:
    """Looks at every pool, again and again."""

    def __init__(self, pools: Callable[[], Iterable[Pool]]) -> None:
        self._pools = pools

    async def run(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(LOOK_S)
            for pool in self._pools():
                try:
                    pool.look()
                    if number % _LOOKS_PER_WEIGHING == 0:
                        pool.memory()
                except Exception:
                    log.exception("%s: could not look at its workers", pool.id)
