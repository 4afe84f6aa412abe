"""Checks all workers in one task: with a timer for each pool, the daemon would wake up hundreds of times as often."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from loader.workers.process.heartbeat import CHECK_S

log = logging.getLogger("pawl.loader")

_CHECKS_PER_MEASUREMENT = 4
"""Measuring a worker's memory costs several times as much as reading its status page."""


class Pool(Protocol):
    """A pool of workers to check; see `loader.workers.pool`."""

    id: str

    def check(self, *, measure: bool) -> None: ...


async def watch(pools: Callable[[], Iterable[Pool]]) -> None:
    """Check every pool, again and again."""
    for number in itertools.count(1):
        await asyncio.sleep(CHECK_S)
        for pool in pools():
            try:
                pool.check(measure=number % _CHECKS_PER_MEASUREMENT == 0)
            except Exception:
                log.exception("%s: could not check its workers", pool.id)
