"""What the server has taken of the machine lately: a value a minute, for a day, kept in memory alone."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_KEPT = 24 * 60


@dataclass(frozen=True)
class Taken:
    """At one moment."""

    cpu_s: float
    """Seconds that its processes have computed, those that have ended not among them."""
    memory_bytes: int
    gpu_memory_bytes: int | None
    """Of all GPUs; None where there is none."""


@dataclass(frozen=True)
class Usage:
    """Over the time since the one before."""

    at: float
    """Seconds since 1970."""
    cores: float | None
    """Processors that were busy with it; None where that can't be told."""
    memory_bytes: int
    gpu_memory_bytes: int | None


class UsageHistory:
    """Looks when told to."""

    def __init__(self, look: Callable[[], Taken], now: Callable[[], float] = time.time) -> None:
        """`now`: seconds since 1970."""
        self.values: deque[Usage] = deque(maxlen=_KEPT)
        self._look = look
        self._now = now
        self._before: tuple[float, Taken] | None = None

    async def add(self) -> None:
        at, taken = self._now(), self._look()
        self.values.append(Usage(at, self._cores(at, taken), taken.memory_bytes, taken.gpu_memory_bytes))
        self._before = at, taken

    def _cores(self, at: float, taken: Taken) -> float | None:
        """Where a process has ended meanwhile, what it had computed is missing, and nothing can be told."""
        if self._before is None or at <= self._before[0] or taken.cpu_s < self._before[1].cpu_s:
            return None
        return (taken.cpu_s - self._before[1].cpu_s) / (at - self._before[0])
