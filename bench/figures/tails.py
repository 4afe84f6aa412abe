"""How much longer than half of them the slowest hundredth of requests takes: values, as they are kept in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.figures.rounds import Spread


@dataclass(frozen=True)
class Turn:
    """What one short run saw."""

    rate: float
    """Good answers a second."""
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def ratio(self) -> float:
        """p99 / p50; infinite where nothing was answered."""
        return self.p99_ms / self.p50_ms if self.p50_ms else float("inf")


@dataclass(frozen=True)
class Tail:
    """One contender with one model, turn by turn."""

    contender: str
    model: str
    turns: Sequence[Turn]

    @classmethod
    def of(cls, content: Any) -> Tail:
        """From its JSON."""
        return cls(content["contender"], content["model"], [Turn(**each) for each in content["turns"]])

    @property
    def ratios(self) -> Spread:
        """p99 / p50: the median, and all turns'."""
        ratios = tuple(turn.ratio for turn in self.turns)
        return Spread(median(ratios), ratios)

    @property
    def errors(self) -> int:
        return sum(turn.errors for turn in self.turns)
