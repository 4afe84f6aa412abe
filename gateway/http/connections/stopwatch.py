"""How long a connection has been as it is."""

from __future__ import annotations

from collections.abc import Callable

from gateway.http.limits import Limits, Phase


class Stopwatch:
    """Begins anew whenever something has changed since it was looked at."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._since = now()
        self._seen: tuple[Phase, int, int] = (Phase.IDLE, 0, 0)

    def has_run_out(self, phase: Phase, come: int, unread: int) -> bool:
        """Whether nothing has changed for longer than it may. `come`: grows with each request that begins, and with
        each piece of a body that is passed on; `unread`: bytes that the client has not taken."""
        seen = (phase, come, unread)
        if seen != self._seen:
            self._seen, self._since = seen, self._now()
            return False
        limit_s = self._limits.stalled_s if unread else self._limits.of(phase)
        return self._now() - self._since > limit_s
