"""What a pool reports while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Happening(Enum):
    """The value is the kind of the event that it becomes."""

    LOST = "worker_lost"
    """A worker ended that should not have."""
    REPLACED = "worker_replaced"
    CRASHING = "crash_loop"
    """Its workers keep ending."""
    RAISED = "request_failed"
    """A request failed in the author's code."""


@dataclass(frozen=True)
class Report:
    happening: Happening
    message: str
    detail: str = ""
