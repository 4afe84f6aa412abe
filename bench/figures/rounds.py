"""What several rounds say together: a figure of each one's best, and how far it is from round to round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.contenders.limits import Limit
from bench.figures.sample import Failure, Key, Sample, best, unique


class NotMeasured(LookupError):
    """A figure needs somebody who wasn't measured."""


@dataclass(frozen=True)
class View:
    """Everyone once: as measured in one round, or each one's best of all."""

    samples: Mapping[Key, Sample]
    limits: Mapping[tuple[str, int], Limit]

    def sample(self, contender: str, model: str, connections: int) -> Sample:
        """Raises NotMeasured."""
        if found := self.samples.get((contender, model, connections)):
            return found
        raise NotMeasured(f"{contender} with {model} at {connections}")

    def rate(self, contender: str, model: str, connections: int) -> float:
        """Requests a second. Raises NotMeasured."""
        return self.sample(contender, model, connections).rate

    def limit(self, model: str, batch: int) -> float:
        """Rows a second of ONNX Runtime alone. Raises NotMeasured."""
        if found := self.limits.get((model, batch)):
            return found.rate
        raise NotMeasured(f"ONNX Runtime alone with {model} at batch {batch}")


Compute = Callable[[View], float]


@dataclass(frozen=True)
class Spread:
    """A figure of the bests, and the same of each round that has it."""

    value: float
    rounds: tuple[float, ...] = ()

    def __str__(self) -> str:
        if len(self.rounds) < 2:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} ({min(self.rounds):.2f}–{max(self.rounds):.2f})"  # noqa: RUF001


@dataclass(frozen=True)
class Rounds:
    """All that one `scripts/bench serve` measured."""

    samples: Sequence[Sample]
    limits: Sequence[Limit] = ()
    failures: Sequence[Failure] = ()
    stalls: Sequence[float] = ()
    """The share of its time that a core lost before each round."""

    @classmethod
    def of(cls, content: Any) -> Rounds:
        """From its JSON."""
        return cls(
            [Sample(**each) for each in content["samples"]],
            [Limit(**each) for each in content["limits"]],
            unique(Failure(**each) for each in content["failures"]),
            content.get("stalls", ()),
        )

    @property
    def best(self) -> View:
        return _view(best(self.samples), self.limits)

    @property
    def rounds(self) -> list[View]:
        numbers = sorted({sample.round for sample in self.samples})
        return [_view(_of(number, self.samples), _of(number, self.limits)) for number in numbers]

    @property
    def scenes(self) -> list[tuple[str, int]]:
        """Models and numbers of connections, in the order of the tables."""
        return sorted({(sample.model, sample.connections) for sample in self.samples})

    def spread(self, compute: Compute) -> Spread:
        """Raises NotMeasured where not even the bests have what it takes."""
        return Spread(compute(self.best), tuple(_where_there(compute, self.rounds)))

    def ratio(self, one: Sample, other: str) -> Spread:
        """One's rate to that of another, in the same circumstances. Raises NotMeasured."""
        contender, model, connections = one.key
        return self.spread(lambda view: view.rate(contender, model, connections) / view.rate(other, model, connections))


def _view(samples: Iterable[Sample], limits: Iterable[Limit]) -> View:
    ordered = sorted(limits, key=lambda limit: limit.rate)
    return View({sample.key: sample for sample in samples}, {(one.model, one.batch): one for one in ordered})


def _of(number: int, measured: Sequence[Any]) -> list[Any]:
    return [each for each in measured if each.round == number]


def _where_there(compute: Compute, views: Iterable[View]) -> Iterable[float]:
    for view in views:
        try:
            yield compute(view)
        except NotMeasured:
            continue
