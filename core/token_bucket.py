"""How often something may happen: so many times a second, and as many at once as one second holds."""

from __future__ import annotations


class TokenBucket:
    """Filled at a steady rate. For one thread; `now` is any clock's seconds, as long as it is always the same one."""

    __slots__ = ("_at", "_held", "burst", "rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        """`rate`: tokens per second. `burst`: tokens that it holds when it is full; at least one."""
        self.rate = rate
        self.burst = max(1.0, rate if burst is None else burst)
        self._held = self.burst
        self._at = now

    def take(self, now: float) -> float:
        """Take a token: 0, or the seconds until there is one, and then nothing is taken."""
        self._fill(now)
        if self._held >= 1.0:
            self._held -= 1.0
            return 0.0
        return (1.0 - self._held) / self.rate

    def wait_s(self, now: float) -> float:
        """The seconds until there is a token; none is taken."""
        self._fill(now)
        return max(0.0, (1.0 - self._held) / self.rate)

    def _fill(self, now: float) -> None:
        self._held = min(self.burst, self._held + max(0.0, now - self._at) * self.rate)
        self._at = now
