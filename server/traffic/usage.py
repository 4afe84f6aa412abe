"""What the server has taken of the machine: a value a minute, kept in the registry as the history of traffic is."""

from __future__ import annotations

import logging
import math
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from core.usage import UsageSums
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.traffic.history.steps import Steps
from server.traffic.taken import Taken

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl.registry")

_MOST_WAITING = 24 * 60
"""Minutes that wait while the registry is away; of more, the oldest are lost."""
_THIN_S = 3600.0
_SAMPLED_S = 60.0
"""Between two samples of one server."""


@dataclass(frozen=True)
class Usage:
    """Of all servers together, on the average of some time."""

    at: float
    """Where that begins, in seconds since 1970."""
    cores: float | None
    """Processors that were busy with them; None where that can't be told."""
    memory_bytes: float
    gpu_memory_bytes: float | None


Sample = tuple[float, UsageSums]
"""And when it was taken, in seconds since 1970."""


class UsageHistory:
    """Looks when told to. For the loop's own thread."""

    def __init__(
        self, look: Callable[[], Taken], registry: Registry, server: str, now: Callable[[], float] = time.time
    ) -> None:
        """`server`: what tells it from the others that keep a history there. `now`: seconds since 1970."""
        self._look = look
        self._registry = registry
        self._server = server
        self._now = now
        self._before: tuple[float, Taken] | None = None
        self._waiting: deque[Sample] = deque(maxlen=_MOST_WAITING)
        self._thin_at = 0.0

    async def add(self) -> None:
        at, taken = self._now(), self._look()
        self._waiting.append((at, _sample(taken, self._cores(at, taken))))
        self._before = at, taken
        await self._write(at)

    async def read(self, steps: Steps) -> list[Usage]:
        """As finely as the traffic of those steps is read, in order. Raises RegistryUnavailable."""
        rows = await self._registry.perform(
            lambda transaction: [*transaction.usage.read(steps.resolution, steps.from_s, steps.to_s)]
        )
        return combined(rows, steps.resolution.step_s, self._now())

    def _cores(self, at: float, taken: Taken) -> float | None:
        """Where a process has ended meanwhile, what it had computed is missing, and nothing can be told."""
        if self._before is None or at <= self._before[0] or taken.cpu_s < self._before[1].cpu_s:
            return None
        return (taken.cpu_s - self._before[1].cpu_s) / (at - self._before[0])

    async def _write(self, now: float) -> None:
        """What waits. Whether a commit arrived is not always known; what is written twice hardly changes an average."""
        some, thins = list(self._waiting), now >= self._thin_at

        def write(transaction: Transaction) -> None:
            for at, sums in some:
                transaction.usage.add(self._server, at, sums)
            if thins:
                transaction.usage.thin(datetime.fromtimestamp(now, UTC))

        try:
            await self._registry.perform(write)
        except RegistryUnavailable as error:
            log.debug("what the server takes of the machine waits in memory: %s", error)
            return
        self._waiting.clear()
        self._thin_at = now + _THIN_S if thins else self._thin_at


def server_id(folder: Path) -> str:
    """What a server goes by that keeps its data there: the same after a restart, and another in every pod."""
    return sha256(f"{socket.gethostname()}:{folder.resolve()}".encode()).hexdigest()[:16]


def combined(rows: Iterable[tuple[float, UsageSums]], step_s: float, now: float) -> list[Usage]:
    """Rows that begin at one time are of several servers, which add up, or which followed each other. Each row is of
    `step_s` seconds, or of those until `now`."""
    ordered = sorted(rows, key=lambda row: row[0])
    return [
        _together(at, [sums for _, sums in group], math.ceil((min(at + step_s, now) - at) / _SAMPLED_S))
        for at, group in groupby(ordered, lambda row: row[0])
    ]


def _sample(taken: Taken, cores: float | None) -> UsageSums:
    return UsageSums(
        samples=1,
        memory_bytes=taken.memory_bytes,
        cores=cores or 0.0,
        cores_samples=int(cores is not None),
        gpu_memory_bytes=taken.gpu_memory_bytes or 0,
        gpu_samples=int(taken.gpu_memory_bytes is not None),
    )


def _together(at: float, sums: list[UsageSums], most: int) -> Usage:
    """A server that ran for a part of the time counts for that part. `most`: samples that one server can have taken."""
    if len(sums) == 1:
        return _alone(at, sums[0])

    def mean(total: Callable[[UsageSums], float], samples: Callable[[UsageSums], int]) -> float | None:
        counts = [samples(one) for one in sums]
        taken = min(sum(counts), max(most, *counts))  # in which some server ran
        return sum(total(one) for one in sums) / taken if taken else None

    return Usage(
        at=at,
        cores=mean(lambda one: one.cores, lambda one: one.cores_samples),
        memory_bytes=mean(lambda one: one.memory_bytes, lambda one: one.samples) or 0.0,
        gpu_memory_bytes=mean(lambda one: one.gpu_memory_bytes, lambda one: one.gpu_samples),
    )


def _alone(at: float, one: UsageSums) -> Usage:
    """The same of a single server, as most are: quicker, for a year has hundreds."""
    return Usage(
        at,
        one.cores / one.cores_samples if one.cores_samples else None,
        one.memory_bytes / one.samples if one.samples else 0.0,
        one.gpu_memory_bytes / one.gpu_samples if one.gpu_samples else None,
    )
