"""What was measured: values, as they are kept in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

Key = tuple[str, str, int]
"""Contender, model, connections."""


@dataclass(frozen=True)
class Sample:
    """One contender with one model, at one number of connections."""

    contender: str
    model: str
    connections: int
    rate: float
    """Good answers a second."""
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_s: Mapping[str, float]
    """CPU seconds per 1,000 requests, by role."""
    memory_mb: float
    """PSS of all its processes, right after."""
    batch: float | None
    """Mean calls in a batch, where the contender tells."""
    load_average: float
    """Of the machine in the last minute, this bench included."""
    load_cpu_s: float = 0.0
    """CPU seconds of the load generator per 1,000 requests."""
    loops_cpu_s: float = 0.0
    """CPU seconds of the workers' main threads per 1,000 requests: what of theirs can't run beside itself."""
    round: int = 0

    @property
    def cpu_sum_s(self) -> float:
        return sum(self.cpu_s.values())

    @property
    def key(self) -> Key:
        return self.contender, self.model, self.connections


@dataclass(frozen=True)
class Failure:
    """A contender that couldn't be measured with a model."""

    contender: str
    model: str
    why: str
    round: int = 0


Outcome = Sample | Failure


def best(samples: Iterable[Sample]) -> list[Sample]:
    """Of several rounds, each contender's fastest: what else the machine does can only slow it down. Errors are those
    of all rounds."""
    ordered = sorted(samples, key=lambda sample: sample.key)
    return [_best(list(group)) for _, group in groupby(ordered, key=lambda sample: sample.key)]


def _best(samples: Sequence[Sample]) -> Sample:
    fastest = max(samples, key=lambda sample: sample.rate)
    return replace(fastest, errors=sum(sample.errors for sample in samples))


def unique(failures: Iterable[Failure]) -> list[Failure]:
    """Each once, however many rounds it failed in."""
    return list({(failure.contender, failure.model): failure for failure in failures}.values())
