"""For how long a worker's threads stand still, in time during which we could see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.wire.status_page import StatusPage

LOOK_S = 0.25
"""Between two looks at a worker."""
_LONGEST_STEP_S = 4 * LOOK_S

_LOOP = -1


class AwakeClock:
    """Seconds during which this process ran.

    Where it was stopped, or the whole machine, or waited for a disk, the workers may have been stopped too: no more of
    that time counts than usually lies between two looks.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read_at = clock()
        self._awake_s = 0.0

    def read(self) -> float:
        """To be called at every look."""
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
    """How long ago the main loop took its last turn; 0 before it began."""

    def longer_than(self, limit_s: float) -> list[int]:
        """Slots whose slices have taken longer, the longest first."""
        return sorted((slot for slot, s in self.slices.items() if s > limit_s), key=lambda slot: -self.slices[slot])


class Heartbeat:
    """What is seen of one board, from look to look."""

    def __init__(self, status_page: StatusPage) -> None:
        self._status_page = status_page
        self._seen: dict[int, tuple[int, float]] = {}
        """By slot, since when (on the board's clock) it stands still, and since when on ours it is seen to."""

    def look(self, awake_s: float) -> Standstill:
        """`awake_s`: what an AwakeClock reads now."""
        slices, heartbeat_ns = self._status_page.slices(), self._status_page.heartbeat_ns
        now_ns = time.monotonic_ns()
        self._seen = {
            slot: seen if (seen := self._seen.get(slot)) and seen[0] == since else (since, awake_s)
            for slot, since in (*slices.items(), (_LOOP, heartbeat_ns))
        }

        def still_s(slot: int) -> float:
            since, seen_s = self._seen[slot]
            return min((now_ns - since) / 1e9, awake_s - seen_s + LOOK_S)

        return Standstill({slot: still_s(slot) for slot in slices}, still_s(_LOOP) if heartbeat_ns else 0.0)
