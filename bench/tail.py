"""`scripts/bench tail`: the p99 beside the p50, Pawl's and the bare app's, in many short turns.

What else a machine does comes and goes within seconds, lengthens the p99, and hardly touches the p50. One run says
little of a server's tail, therefore; the median of many, beside that of an app that does nothing, says more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from statistics import median
from typing import Annotated

import typer

from bench.figures import figures_file
from bench.figures.table import table
from bench.figures.tails import Tail, Turn
from bench.inputs.models import MODELS, Model
from bench.load import wrk
from bench.load.endpoint import Endpoint
from bench.machine import cores
from bench.machine.screen import console
from bench.measure import BROKEN
from bench.peers.contenders import CONTENDERS
from bench.prepare import prepare

HEADINGS = ("", "p99 / p50, median", "least", "most", "p50 ms, median", "p99 ms, median", "req/s, median", "errors")
CONNECTIONS = 32
TURNS = 30
_CONTENDERS = ("pawl", "bare")
_SERVER_CORES = 2
_WARM_UP_S = 2.0


def main(
    turns: Annotated[int, typer.Option(help="how often each takes its turn", min=1)] = TURNS,
    seconds: Annotated[int, typer.Option(help="of each turn", min=1)] = 2,
) -> None:
    """How much longer than half of them the slowest hundredth of requests takes, at 32 connections."""
    prepare()
    try:
        tails = [tail for model in MODELS.values() for tail in _measure(model, turns, seconds)]
    except BROKEN as error:
        console.print(f"[red]{type(error).__name__}: {error}[/red]")
        raise typer.Exit(1) from error
    for model in MODELS:
        console.print(table(f"{model}, {CONNECTIONS} connections", HEADINGS, rows(tails, model)))
    content = {"turns": turns, "seconds": seconds, "tails": [asdict(tail) for tail in tails]}
    console.print(f"written to {figures_file.write('tail', content)}")


def rows(tails: Sequence[Tail], model: str) -> Iterator[Sequence[str]]:
    """What stands under the headings."""
    for tail in tails:
        if tail.model == model:
            ratios = tail.ratios
            yield (
                CONTENDERS[tail.contender].title,
                *(f"{ratio:.2f}" for ratio in (ratios.value, min(ratios.rounds), max(ratios.rounds))),
                f"{median(turn.p50_ms for turn in tail.turns):.2f}",
                f"{median(turn.p99_ms for turn in tail.turns):.2f}",
                f"{median(turn.rate for turn in tail.turns):,.0f}",
                f"{tail.errors:,}",
            )


def _measure(model: Model, turns: int, seconds: int) -> Iterator[Tail]:
    taken: dict[str, list[Turn]] = {name: [] for name in _CONTENDERS}
    with _serving(model) as endpoints:
        for number in range(turns):
            for name in _CONTENDERS if number % 2 else reversed(_CONTENDERS):
                taken[name].append(_turn(endpoints[name], model, seconds))
            told = ", ".join(f"{CONTENDERS[name].title} {taken[name][-1].ratio:.2f}" for name in _CONTENDERS)
            console.print(f"[dim]{model.name}, {number + 1}/{turns}[/dim] p99 / p50: {told}")
    for name in _CONTENDERS:
        yield Tail(name, model.name, taken[name])


@contextmanager
def _serving(model: Model) -> Iterator[Mapping[str, Endpoint]]:
    """Both, warm. Raises CannotStart and WrongAnswer."""
    servers, load = cores.share(os.sched_getaffinity(0), _SERVER_CORES)
    with ExitStack() as stack:
        with cores.on(servers):
            endpoints = {name: stack.enter_context(CONTENDERS[name].serving(model)) for name in _CONTENDERS}
        stack.enter_context(cores.on(load))
        for endpoint in endpoints.values():
            endpoint.check(model)
            _turn(endpoint, model, _WARM_UP_S)
        yield endpoints


def _turn(endpoint: Endpoint, model: Model, seconds: float) -> Turn:
    body = endpoint.wire.pack(model.rows(1)[0].tolist())
    seen = wrk.load(endpoint, body, CONNECTIONS, seconds)
    return Turn(seen.rate, seen.p50_us / 1000, seen.p99_us / 1000, seen.errors)
