"""How other threads have the loop do something."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable


class Wakeup:
    """Errands for the loop's thread. Only while it sleeps does one need a system call, and a descriptor is then
    readable: writing to it gives up the GIL, which a thread with a batch to run may wait for."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._errands: deque[Callable[[], None]] = deque()
        self._asleep = False

    def fileno(self) -> int:
        return self._event

    def close(self) -> None:
        if self._event >= 0:
            os.close(self._event)
        self._event = -1  # a child's child closes again, and the number may by then be another's

    def post(self, errand: Callable[[], None]) -> None:
        """Have `errand` run in the loop's thread, soon. From any thread."""
        self._errands.append(errand)
        if self._asleep:
            self._asleep = False
            os.eventfd_write(self._event, 1)

    def may_sleep(self) -> bool:
        """Whether there is no errand; one that comes from now on wakes the loop."""
        self._asleep = True  # first: whoever doesn't find it so has posted before we look
        return not self._errands

    def woken(self) -> None:
        """To be called when the descriptor is readable."""
        os.eventfd_read(self._event)

    def run_errands(self) -> None:
        """To be called in each turn."""
        self._asleep = False
        while self._errands:
            self._errands.popleft()()
