"""Being told to end, without an exception."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self

from core.process.signals import ending_signals, is_ignored


class Interruption:
    """Whether Ctrl-C, SIGTERM or the end of the terminal told this process to end while it was in the block.

    Python raises an exception for it, wherever it is: one that is raised in a finalizer or in the callback of a weak
    reference is lost. What takes hours looks here instead, again and again. For the main thread.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, *ending_signals()):
            if not is_ignored(number):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _: int, __: FrameType | None) -> None:
        self.is_asked = True
