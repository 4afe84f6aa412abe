"""When to try again what failed and costs much."""

from __future__ import annotations

import time


class Backoff:
    """Grows with each failure in a row, from `first_s` to `longest_s`."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._until = float("-inf")

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def failed(self) -> None:
        self._until = time.monotonic() + min(self._longest_s, self._first_s * 2**self._failures)
        self._failures += 1

    def succeeded(self) -> None:
        self._failures = 0
        self._until = float("-inf")
