"""What is being done for a release on its way: its steps, each with its seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loader.steps import STEPS
from server.pages.layout.moments import duration


@dataclass(frozen=True)
class ShownStep:
    word: str
    how: str
    """`done`, `now`, or empty for what waits."""
    says: str


def shown_steps(now: str, seconds: Mapping[str, float]) -> tuple[ShownStep, ...]:
    """`now`: the step in hand. `seconds`: of each step so far."""
    at = STEPS.index(now) if now in STEPS else 0
    return tuple(_shown(step, place - at, seconds.get(step)) for place, step in enumerate(STEPS))


def _shown(step: str, later: int, seconds: float | None) -> ShownStep:
    word = step.replace("_", " ").capitalize()
    if later > 0:
        return ShownStep(word, "", "waits")
    took = duration(seconds) if seconds is not None else ""
    return ShownStep(word, "now" if later == 0 else "done", took or ("in hand" if later == 0 else "done"))
