"""What memory is left to the container that a run is in. Once it is used up, the kernel ends all processes of a pod."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.process.resources import CGROUP, Memory, memory

SHARED_FULL = 0.85
"""Share of the limit above which a run leaves a container that models are served in: their workers are ended above 0.9
(`memory_guard.py` in `loader/`), and serving comes first."""
_SPARE = 0.05
_MOST_SPARE = 256 << 20
"""In a container of the run's own: what a run takes between two looks."""


class ContainerMemory:
    def __init__(self, is_own: bool, look: Callable[[], Memory] = memory, cgroup: Path = CGROUP) -> None:
        """`is_own`: whether nothing but the run is in it."""
        self.is_own = is_own
        self._look = look
        self._cgroup = cgroup

    def is_nearly_full(self) -> bool:
        """False where nobody bounds it."""
        now = self._look()
        return now.limited and now.free < self._spare(now.limit)

    def kills(self) -> int:
        """How many processes of it the kernel has ended for want of memory; 0 where nobody counts them."""
        for name in ("memory.events", "memory/memory.oom_control"):
            with suppress(OSError, ValueError, StopIteration):
                lines = (self._cgroup / name).read_text().splitlines()
                return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
        return 0

    def _spare(self, limit: int) -> float:
        return min(limit * _SPARE, _MOST_SPARE) if self.is_own else limit * (1 - SHARED_FULL)
