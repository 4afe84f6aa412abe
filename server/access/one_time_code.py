"""The code with which whoever starts Pawl for the first time signs in."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

GOOD_FOR_S = 600.0


class OneTimeCode:
    """Good once, and for ten minutes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.text = secrets.token_urlsafe(24)
        self._now = now
        self._ends = now() + GOOD_FOR_S
        self._is_used = False

    @property
    def minutes_left(self) -> int:
        """0 where it is good no longer."""
        left_s = 0.0 if self._is_used else self._ends - self._now()
        return max(0, -int(-left_s // 60))

    def use(self, text: str) -> bool:
        """Whether that was the code, which from then on is good no longer."""
        is_it = (
            self._now() < self._ends and not self._is_used and hmac.compare_digest(text.encode(), self.text.encode())
        )
        self._is_used = self._is_used or is_it
        return is_it
