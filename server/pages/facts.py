"""What a page tells of a model, from all who know something of it, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.steering import Pin
from server.state import ModelState


@dataclass(frozen=True)
class CommitText:
    """A commit in the words of who made it; from git, so hostile."""

    subject: str
    author: str
    at: datetime


@dataclass(frozen=True)
class DayTraffic:
    """The last 24 hours of one model's requests."""

    rates: tuple[float, ...]
    """Requests a minute, step by step, the oldest first."""
    swaps: tuple[float, ...]
    """When something else went live: shares of the day, 0 to 1."""
    requests: int
    errors: int
    """Answers of the 500s, of those."""
    p95_ms: float | None

    @property
    def now(self) -> float:
        """Requests a minute."""
        return self.rates[-1] if self.rates else 0.0


@dataclass(frozen=True)
class ModelFacts:
    """One model; None is what nobody knows."""

    state: ModelState
    commit: CommitText | None = None
    """The live version's; of a model that was never live, that of the newest push."""
    live_since: datetime | None = None
    failed_at: datetime | None = None
    pin: Pin | None = None
    day: DayTraffic | None = None

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def is_held_by_pin_alone(self) -> bool:
        """Whether its folder has gone."""
        return self.state.pin is not None and self.state.pin.folder_gone
