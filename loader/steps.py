"""The steps of a release on its way to being live, and how long each takes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

STEPS = ("fetch", "check_out", "environment", "start", "prove", "swap")
"""In order."""
_STEP_OF_STAGE = MappingProxyType(
    {"checkout": "check_out", "environment": "environment", "memory": "start", "load": "start", "examples": "prove"}
)
"""Stages are where a `ReleaseFailed` says that a start failed: finer than steps, and by names of their own."""


def step_of(doing: str) -> str | None:
    """The step that a stage is a part of; None for a line that tells of something that takes long."""
    return _STEP_OF_STAGE.get(doing)


class StepClock:
    """How long each step took, the one in hand included. For any thread to read."""

    def __init__(self) -> None:
        self.step: str | None = None
        self._seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def turn(self, step: str | None) -> None:
        """That one goes on from now; None: none does."""
        now = time.monotonic()
        if self.step is not None:
            self._seconds[self.step] = self._seconds.get(self.step, 0.0) + now - self._since
        self.step, self._since = step, now

    def seconds(self) -> Mapping[str, float]:
        """Of each step so far, in order."""
        found, step = dict(self._seconds), self.step
        if step is not None:
            found[step] = found.get(step, 0.0) + time.monotonic() - self._since
        return {step: round(found[step], 3) for step in STEPS if step in found}
