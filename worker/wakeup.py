"""How other threads have the loop do something."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable


class Wakeup:
    """Errands for the loop's thread, and a descriptor that is readable while there are any."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._errands: deque[Callable[[], None]] = deque()

    def fileno(self) -> int:
        return self._event

    def close(self) -> None:
        if self._event >= 0:
            os.close(self._event)
        self._event = -1  # a child's child closes again, and the number may by then be another's

    def post(self, errand: Callable[[], None]) -> None:
        """Have `errand` run in the loop's thread, soon. From any thread."""
        self._errands.append(errand)
        os.eventfd_write(self._event, 1)

    def run_errands(self) -> None:
        os.eventfd_read(self._event)  # first: what is posted from here on wakes the loop again
        while self._errands:
            self._errands.popleft()()
