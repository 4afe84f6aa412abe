"""How other threads wake the loop and have it run something.

The danger is a lost wake-up: the loop checks that there is nothing to do, another thread adds something and sees no
sleeper to wake, and then the loop goes to sleep with work waiting. Two flags rule it out:

    loop (may_sleep)             another thread (wake)
    1. _asleep = True            1. _is_wanted = True
    2. reads _is_wanted          2. reads _asleep

Each side writes its own flag before it reads the other's, and the GIL puts the four steps in one order. So at least one
of the two reads sees the other side's write: either the loop sees that it is wanted and polls without waiting, or the
thread sees that the loop is asleep and writes to the eventfd, which ends the poll, even one that has yet to begin.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable


class WakeupClosed(Exception):
    """There is no loop here: this is a child that the author's code forked."""


class Wakeup:
    """Callbacks for the loop's thread, and an eventfd that ends its sleep.

    The eventfd is written only while the loop sleeps: a system call for each callback would cost more than most
    callbacks do, and gives up the GIL, which the batch thread then has to wait for again.
    """

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._callbacks: deque[Callable[[], None]] = deque()
        self._asleep = False
        self._is_wanted = False
        """Whether somebody called `wake` since the loop's last iteration."""

    def fileno(self) -> int:
        return self._event

    def close(self) -> None:
        if self._event >= 0:
            os.close(self._event)
        self._event = -1  # a child's child closes again, and the number may by then be another's

    def post(self, callback: Callable[[], None]) -> None:
        """Have `callback` run in the loop's next iteration. From any thread. Raises WakeupClosed."""
        self._callbacks.append(callback)
        self.wake()

    def wake(self) -> None:
        """Have the loop run another iteration. From any thread. Raises WakeupClosed."""
        if self._event < 0:
            raise WakeupClosed
        self._is_wanted = True
        if self._asleep:
            self._asleep = False
            os.eventfd_write(self._event, 1)

    def may_sleep(self) -> bool:
        """Whether the loop may wait for its descriptors. From now until `run_callbacks`, `wake` makes ours readable."""
        self._asleep = True  # before the other flag is read: see the module's docstring
        return not self._is_wanted

    def clear(self) -> None:
        """Make the descriptor unreadable again. To be called when it is readable."""
        os.eventfd_read(self._event)

    def run_callbacks(self) -> None:
        """To be called in each iteration, after the wait."""
        self._asleep = self._is_wanted = False  # before the queue is emptied: what is added meanwhile sets them anew
        while self._callbacks:
            self._callbacks.popleft()()
