"""`report`, as the author's code gets it."""

from __future__ import annotations

import math
import os
import time
from threading import Lock
from typing import Any

import msgspec

from ..errors import ContractBroken
from ..wire.training import Reported
from .channel import Channel
from .scores import NAME_FORM, is_name, number, shown
from .stopping import Stopping

_BURST = 1000.0
_PER_SECOND = 20.0
"""Reports that are sent: code may report each of a million steps."""
_MOST_SCORES = 100


class Report:
    """Tells the run how far the code has come. Any thread may call it; in a forked child it says nothing."""

    def __init__(self, channel: Channel, stopping: Stopping) -> None:
        self._channel = channel
        self._stopping = stopping
        self._held_back: Reported | None = None
        self._left = _BURST
        self._counted_at = time.monotonic()
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._unlock)

    def __call__(self, /, step: Any, total: Any = None, **scores: Any) -> bool:
        """Whether the code is to stop and keep what it has. Raises ContractBroken for what is not a number."""
        reported = Reported(
            step=_finite(step, "step"),
            total=None if total is None else _finite(total, "total"),
            scores=_scores(scores),
        )
        with self._lock:
            self._take(reported)
            return self._stopping.asked or self._channel.told_to_stop

    def flush(self) -> None:
        """Send the last report, if it was held back."""
        with self._lock:
            if self._held_back is not None:
                self._channel.say(self._held_back)
                self._held_back = None

    def _take(self, reported: Reported) -> None:
        before = self._held_back
        if before is not None and before.step == reported.step:
            reported = msgspec.structs.replace(reported, scores={**before.scores, **reported.scores})
        self._held_back = reported
        if self._may_send() and self._channel.offer(reported):
            self._left -= 1
            self._held_back = None

    def _may_send(self) -> bool:
        now = time.monotonic()
        self._left = min(_BURST, self._left + (now - self._counted_at) * _PER_SECOND)
        self._counted_at = now
        return self._left >= 1

    def _unlock(self) -> None:
        self._lock = Lock()


def _finite(value: Any, name: str) -> float:
    found = _number(value, name)
    if not math.isfinite(found):
        raise ContractBroken(f"report was given {found} as {name}; it takes a finite number")
    return found


def _scores(scores: dict[str, Any]) -> dict[str, float | None]:
    if len(scores) > _MOST_SCORES:
        raise ContractBroken(f"report was given {len(scores)} scores; it takes at most {_MOST_SCORES}")
    read: dict[str, float | None] = {}
    for name, value in scores.items():
        if not is_name(name):
            raise ContractBroken(f"report was given a score named {shown(name)}; {NAME_FORM}")
        found = _number(value, name)
        read[name] = found if math.isfinite(found) else None
    return read


def _number(value: Any, name: str) -> float:
    try:
        return number(value)
    except TypeError:
        raise ContractBroken(f"report was given {shown(value)} as {name}; it takes a number") from None
