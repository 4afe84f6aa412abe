"""For how long a worker's threads have made no progress, counting only time during which the daemon ran too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.wire.status_page import StatusPage

CHECK_S = 0.25
"""Between two checks of a worker."""
_LONGEST_STEP_S = 4 * CHECK_S

_LOOP = -1


class AwakeClock:
    """Seconds during which this process ran.

    While the daemon was stopped (SIGSTOP, a suspended machine) or waited for a disk, the workers may have been stopped
    too. So of the time between two checks no more counts than four times the usual interval.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read_at = clock()
        self._awake_s = 0.0

    def read(self) -> float:
        """To be called at every check."""
        now = self._clock()
        self._awake_s += min(now - self._read_at, _LONGEST_STEP_S)
        self._read_at = now
        return self._awake_s


@dataclass(frozen=True)
class Standstill:
    """Seconds."""

    slices: dict[int, float]
    """How long each running slice has taken, by its slot."""
    loop: float
    """Age of the main loop's last heartbeat; 0 before the first."""

    def longer_than(self, limit_s: float) -> list[int]:
        """Slots whose slices have taken longer, the longest first."""
        return sorted((slot for slot, s in self.slices.items() if s > limit_s), key=lambda slot: -self.slices[slot])


class Heartbeat:
    """Reads one worker's status page, again and again, and compares with what it read before."""

    def __init__(self, status_page: StatusPage) -> None:
        self._status_page = status_page
        self._seen: dict[int, tuple[int, float]] = {}
        """By slot: when its slice began, as the worker wrote it, and at what time of the AwakeClock we first read
        that."""

    def read(self, awake_s: float) -> Standstill:
        """`awake_s`: what an AwakeClock reads now."""
        slices, heartbeat_ns = self._status_page.slices(), self._status_page.heartbeat_ns
        now_ns = time.monotonic_ns()
        self._seen = {
            slot: seen if (seen := self._seen.get(slot)) and seen[0] == since else (since, awake_s)
            for slot, since in (*slices.items(), (_LOOP, heartbeat_ns))
        }

        def still_s(slot: int) -> float:
            since, seen_s = self._seen[slot]
            return min((now_ns - since) / 1e9, awake_s - seen_s + CHECK_S)

        return Standstill({slot: still_s(slot) for slot in slices}, still_s(_LOOP) if heartbeat_ns else 0.0)
