"""How other threads have the loop do something."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable


class WakeupClosed(Exception):
    """There is no loop here: this is a child that the author's code forked."""


class Wakeup:
    """Errands for the loop's thread. Only while it sleeps does one need a system call, and a descriptor is then
    readable: writing to it gives up the GIL, which a thread with a batch to run may wait for."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._errands: deque[Callable[[], None]] = deque()
        self._asleep = False
        self._is_wanted = False
        """Whether the loop is to take another turn."""

    def fileno(self) -> int:
        return self._event

    def close(self) -> None:
        if self._event >= 0:
            os.close(self._event)
        self._event = -1  # a child's child closes again, and the number may by then be another's

    def post(self, errand: Callable[[], None]) -> None:
        """Have `errand` run in the loop's thread, soon. From any thread. Raises WakeupClosed."""
        self._errands.append(errand)
        self.wake()

    def wake(self) -> None:
        """Have the loop take another turn. From any thread. Raises WakeupClosed."""
        if self._event < 0:
            raise WakeupClosed
        self._is_wanted = True
        if self._asleep:
            self._asleep = False
            os.eventfd_write(self._event, 1)

    def fall_asleep(self) -> bool:
        """Whether nobody wants the loop; whoever does from now on wakes it."""
        self._asleep = True  # first: whoever doesn't find it so has said so before we look
        return not self._is_wanted

    def woken(self) -> None:
        """To be called when the descriptor is readable."""
        os.eventfd_read(self._event)

    def run_errands(self) -> None:
        """To be called in each turn."""
        self._asleep = self._is_wanted = False
        while self._errands:
            self._errands.popleft()()
