"""SIGTERM: code that takes `report` is told by its answer, and keeps what it has; any other ends where it is."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(BaseException):
    """Raised out of the author's code by a signal, so that `destroy` and `finally` run."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class Stopping:
    """Our handlers of signals, in place until the author's code sets its own."""

    def __init__(self) -> None:
        self.asked = False
        """Whether a signal came."""
        self.is_reported = False
        """Whether the author's code is told by `report`."""
        for number in _SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup starts a server
                signal.signal(number, self._handle)
        os.register_at_fork(after_in_child=self._restore)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.asked:  # the first one is on its way
            return
        self.asked = True
        if not self.is_reported:
            raise Stopped(number)

    def _restore(self) -> None:
        """A child that the author's code forks has signals of its own again."""
        for number in _SIGNALS:
            if signal.getsignal(number) == self._handle:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def end_by(number: int) -> NoReturn:
    """End the process by the signal, so that whoever waits for it sees which."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)
