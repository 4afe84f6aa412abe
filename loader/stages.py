"""How long each stage of a release on its way takes, and the step that it is a part of for people."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

STEP_OF = MappingProxyType(
    {
        "checkout": "check_out",
        "environment": "environment",
        "memory": "start",
        "load": "start",
        "examples": "prove",
        "swap": "swap",
    }
)
"""By stage."""
STEPS = ("fetch", "check_out", "environment", "start", "prove", "swap")
"""In order."""


class StageClock:
    """How long each stage took, the one that goes on included. For any thread to read."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self._seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def turn(self, stage: str | None) -> None:
        """That one goes on from now; None: none does."""
        now = time.monotonic()
        if self.stage is not None:
            self._seconds[self.stage] = self._seconds.get(self.stage, 0.0) + now - self._since
        self.stage, self._since = stage, now

    def seconds(self) -> Mapping[str, float]:
        found = dict(self._seconds)
        if self.stage is not None:
            found[self.stage] = found.get(self.stage, 0.0) + time.monotonic() - self._since
        return found


def steps(seconds: Mapping[str, float]) -> dict[str, float]:
    """The seconds of stages as those of steps, in order."""
    found: dict[str, float] = {}
    for stage, took in seconds.items():
        step = STEP_OF.get(stage, stage)
        found[step] = found.get(step, 0.0) + took
    return {step: round(found[step], 3) for step in STEPS if step in found}
