"""`scripts/bench tail`: the p99 beside the p50, Pawl's and the bare app's, in many short turns.

What else a machine does comes and goes within seconds; it lengthens the p99 and hardly the p50. One long run therefore
tells of the machine; of many short ones the calmest tells most of the server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated, Any

import typer

from bench import cores, record, wrk
from bench.contenders import CONTENDERS
from bench.models import MODELS, Model
from bench.prepare import prepare
from bench.rounds import Spread
from bench.screen import console
from bench.table import table

HEADINGS = ("", "calmest", "median", "longest", "p50 ms, calmest", "p99 ms, calmest")
CONNECTIONS = 32
_CONTENDERS = ("pawl", "bare")
_SERVER_CORES = 2
_WARM_UP_S = 2.0


@dataclass(frozen=True)
class Turn:
    """What one short run saw."""

    p50_ms: float
    p99_ms: float

    @property
    def ratio(self) -> float:
        """p99 / p50."""
        return self.p99_ms / self.p50_ms


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
    def calmest(self) -> Turn:
        return min(self.turns, key=lambda turn: turn.ratio)

    @property
    def ratios(self) -> Spread:
        """p99 / p50: the calmest turn's, and all."""
        return Spread(self.calmest.ratio, tuple(turn.ratio for turn in self.turns))


def main(
    turns: Annotated[int, typer.Option(help="how often each takes its turn", min=1)] = 30,
    seconds: Annotated[int, typer.Option(help="of each turn", min=1)] = 2,
) -> None:
    """How much longer than half of them the slowest hundredth of requests takes, at 32 connections."""
    prepare()
    tails = [tail for model in MODELS.values() for tail in _measure(model, turns, seconds)]
    for model in MODELS:
        console.print(table(f"p99 / p50, {model}", HEADINGS, rows(tails, model)))
    content = {"turns": turns, "seconds": seconds, "tails": [asdict(tail) for tail in tails]}
    console.print(f"written to {record.write('tail', content)}")


def rows(tails: Sequence[Tail], model: str) -> Iterator[Sequence[str]]:
    """What stands under the headings."""
    for tail in tails:
        if tail.model == model:
            ratios = tail.ratios.rounds
            yield (
                CONTENDERS[tail.contender].title,
                *(f"{ratio:.2f}" for ratio in (min(ratios), median(ratios), max(ratios))),
                f"{tail.calmest.p50_ms:.2f}",
                f"{tail.calmest.p99_ms:.2f}",
            )


def _measure(model: Model, turns: int, seconds: int) -> Iterator[Tail]:
    servers, load = cores.share(os.sched_getaffinity(0), _SERVER_CORES)
    taken: dict[str, list[Turn]] = {name: [] for name in _CONTENDERS}
    with ExitStack() as stack:
        with cores.on(servers):
            endpoints = {name: stack.enter_context(CONTENDERS[name].serving(model)) for name in _CONTENDERS}
        stack.enter_context(cores.on(load))
        bodies = {name: endpoint.wire.pack(model.rows(1)[0].tolist()) for name, endpoint in endpoints.items()}
        for name, endpoint in endpoints.items():
            endpoint.check(model)
            wrk.load(endpoint, bodies[name], CONNECTIONS, _WARM_UP_S)
        for number in range(turns):
            for name, endpoint in endpoints.items():
                seen = wrk.load(endpoint, bodies[name], CONNECTIONS, seconds)
                taken[name].append(Turn(seen.p50_us / 1000, seen.p99_us / 1000))
            told = ", ".join(f"{CONTENDERS[name].title} {taken[name][-1].ratio:.2f}" for name in _CONTENDERS)
            console.print(f"[dim]{model.name}, {number + 1}/{turns}[/dim] p99 / p50: {told}")
    for name in _CONTENDERS:
        yield Tail(name, model.name, taken[name])
