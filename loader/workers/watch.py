"""Looks after all workers in one task: a timer for each pool would wake the daemon hundreds of times as often."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from loader.workers.process.heartbeat import LOOK_S

log = logging.getLogger("pawl.loader")

_LOOKS_PER_WEIGHING = 4
"""Weighing a worker costs several times as much as looking at its board."""


class Pool(Protocol):
    """What there is to look after; see `loader.workers.pool`."""

    id: str

    def look(self, *, weigh: bool) -> None: ...


async def watch(pools: Callable[[], Iterable[Pool]]) -> None:
    """Look at every pool, for ever."""
    for number in itertools.count(1):
        await asyncio.sleep(LOOK_S)
        for pool in pools():
            try:
                pool.look(weigh=number % _LOOKS_PER_WEIGHING == 0)
            except Exception:
                log.exception("%s: could not look at its workers", pool.id)
