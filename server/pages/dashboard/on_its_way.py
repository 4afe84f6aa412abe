"""What is being done for a release on its way: the teeth of a ratchet, each with its seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.pages.layout.moments import duration

STEPS = ("fetch", "check_out", "environment", "start", "prove", "swap")
"""In order."""
_STEP_OF = {
    "manifest": "fetch",
    "checkout": "check_out",
    "environment": "environment",
    "memory": "start",
    "load": "start",
    "examples": "prove",
    "swap": "swap",
}


@dataclass(frozen=True)
class Tooth:
    word: str
    how: str
    """`done`, `now`, or empty for what waits."""
    says: str


def step_of(stage: str) -> str:
    """The step that a stage, or a line about something that takes long, is a part of."""
    return _STEP_OF.get(stage, stage if stage in STEPS else "environment" if "environment" in stage else "start")


def teeth(stage: str, seconds: Mapping[str, float]) -> tuple[Tooth, ...]:
    """`seconds`: of each step so far."""
    now = STEPS.index(step_of(stage))
    return tuple(_tooth(step, place - now, seconds.get(step)) for place, step in enumerate(STEPS))


def _tooth(step: str, later: int, seconds: float | None) -> Tooth:
    word = step.replace("_", " ").capitalize()
    if later > 0:
        return Tooth(word, "", "waits")
    took = duration(seconds) if seconds is not None else ""
    return Tooth(word, "now" if later == 0 else "done", took or ("in hand" if later == 0 else "done"))
