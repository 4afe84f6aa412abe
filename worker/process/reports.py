"""Reports to the daemon about requests that failed in the author's code, with a limit on their rate."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import msgspec

from ..errors import ModelError
from ..tracebacks import AuthorTracebacks, in_words
from ..wire.messages import Raised

_BURST = 20
_PER_SECOND = 2.0
"""Tracebacks: a model that fails at each request would write gigabytes. What is left out is counted."""


class Reports:
    """Reports what the author's code raised, as often as a reader could want."""

    def __init__(self, say: Callable[[msgspec.Struct], None], tracebacks: AuthorTracebacks) -> None:
        self._say = say
        self._tracebacks = tracebacks
        self._left = float(_BURST)
        self._counted_at = time.monotonic()
        self._left_out = 0

    def raised(self, error: BaseException) -> ModelError:
        """Report it, and return what its caller is told."""
        message, error_id = in_words(error), uuid.uuid4().hex
        if self._may_report():
            traceback = self._tracebacks.traceback(error)
            if self._left_out:
                traceback += f"({self._left_out} requests failed before this one whose tracebacks are left out)\n"
                self._left_out = 0
            self._say(Raised(error_id=error_id, message=message, traceback=traceback))
        else:
            self._left_out += 1
        return ModelError(message, error_id)

    def _may_report(self) -> bool:
        now = time.monotonic()
        self._left = min(_BURST, self._left + (now - self._counted_at) * _PER_SECOND)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
