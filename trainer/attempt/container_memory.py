"""What memory is left to the container that a run is in, and when the run leaves it.

Once it is used up, the kernel ends all processes of a pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from core.process.resources import CGROUP, Memory, memory

SHARED_FULL = 0.85
"""Share of the limit above which the largest run leaves a container that models are served in: their workers are ended
above 0.9 (`memory_guard.py` in `loader/`), and serving comes first."""
_MATTERS = 0.05
"""Share of the limit below which a run's end would make too little room to be worth its work."""
_SPARE = 0.05
_MOST_SPARE = 256 << 20
"""In a container of the run's own: what a run takes between two looks."""


class ContainerMemory:
    def __init__(
        self,
        peers: Callable[[], Iterable[int]] | None,
        look: Callable[[], Memory] = memory,
        cgroup: Path = CGROUP,
    ) -> None:
        """`peers`: the bytes that each other run in it takes; None: nothing but this run is in it."""
        self._peers = peers
        self._look = look
        self._cgroup = cgroup

    @property
    def is_own(self) -> bool:
        return self._peers is None

    def must_leave(self, taken: Callable[[], int]) -> bool:
        """Whether a run that takes so many bytes is to end, and make room: the largest one where several share the
        memory, and none that would make hardly any."""
        if self._peers is None or not self._is_nearly_full():
            return self._is_nearly_full()
        ours = taken()
        if ours < self._look().limit * _MATTERS or any(peer > ours for peer in self._peers()):
            return False
        return self._is_nearly_full()  # a peer that was larger may have left since

    def _is_nearly_full(self) -> bool:
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
