"""`scripts/bench serve`: Pawl, the limits and the peers, side by side in one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import typer
from rich.table import Table

from bench.contenders.contender import CannotStart
from bench.contenders.limits import Limit, measure_limits
from bench.figures import figures_file
from bench.figures.rounds import Rounds
from bench.figures.sample import Failure, Outcome, Sample
from bench.figures.table import table, tables
from bench.figures.verdicts import HEADINGS, judge_run, rows
from bench.inputs.models import MODELS
from bench.machine.screen import console
from bench.machine.stalls import measure_stalls
from bench.measure import measure
from bench.peers.contenders import CONTENDERS
from bench.prepare import prepare

CONNECTIONS = (1, 32, 256)


@dataclass(frozen=True)
class Plan:
    """What one run measures."""

    contenders: Sequence[str]
    models: Sequence[str]
    connections: Sequence[int]
    seconds: float
    rounds: int
    server_cores: int
    limits: bool = True

    @property
    def size(self) -> int:
        """How many samples it takes."""
        return len(self.contenders) * len(self.models) * len(self.connections) * self.rounds


def main(
    only: Annotated[str, typer.Option(help=f"some of {','.join(CONTENDERS)}")] = ",".join(CONTENDERS),
    model: Annotated[str, typer.Option(help=f"some of {','.join(MODELS)}")] = ",".join(MODELS),
    connections: Annotated[str, typer.Option(help="numbers of connections")] = ",".join(map(str, CONNECTIONS)),
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 4.0,
    rounds: Annotated[int, typer.Option(help="how often all take their turn; the best counts, the spread shows")] = 1,
    server_cores: Annotated[int, typer.Option(help="cores that a server may use; wrk has the others, if any")] = 2,
    note: Annotated[str, typer.Option(help="what readers should know of the machine")] = "",
) -> None:
    """Throughput, latency, CPU and memory beside the limits and the peers."""
    plan = Plan(_chosen(only, CONTENDERS), _chosen(model, MODELS), _numbers(connections), seconds, rounds, server_cores)
    prepare()
    done = run(plan)
    for each in tables(done):
        console.print(each)
    console.print(_targets(done))
    versions = {name: _versions(name) for name in plan.contenders}
    path = figures_file.write("serve", {"plan": asdict(plan), "note": note, "versions": versions, **figures(done)})
    console.print(f"written to {path}; `scripts/bench publish` puts it into docs/benchmarks.md")


def run(plan: Plan) -> Rounds:
    """Everyone in turn, as often as there are rounds; progress is printed."""
    limits: list[Limit] = []
    outcomes: list[Outcome] = []
    stalls: list[float] = []
    for number in range(plan.rounds):
        stalls.append(measure_stalls())
        console.print(f"other processes and the host take {stalls[-1]:.1%} of each core's time")
        if plan.limits:
            limits += _limits(plan, number)
        for outcome in _round(plan):
            outcomes.append(replace(outcome, round=number))
            console.print(f"[dim]{len(outcomes)}/{plan.size}[/dim] {_line(outcome)}")
    samples = [each for each in outcomes if isinstance(each, Sample)]
    return Rounds(samples, limits, [each for each in outcomes if isinstance(each, Failure)], stalls)


def figures(done: Rounds) -> dict[str, Any]:
    """As they go into JSON, and come out of it by `Rounds.of`."""
    return {
        "stalls": done.stalls,
        "limits": [asdict(each) for each in done.limits],
        "samples": [asdict(each) for each in done.samples],
        "failures": [asdict(each) for each in done.failures],
    }


def _limits(plan: Plan, number: int) -> Iterator[Limit]:
    for limit in measure_limits(plan.models, number):
        console.print(f"ONNX Runtime alone, {limit.model}, batch {limit.batch}: {limit.rate:,.0f} rows/s")
        yield limit


def _round(plan: Plan) -> Iterator[Outcome]:
    for model in plan.models:
        for name in plan.contenders:
            contender = CONTENDERS[name]
            yield from measure(
                name, contender, MODELS[model], plan.connections, plan.seconds, server_cores=plan.server_cores
            )


def _targets(done: Rounds) -> Table:
    measured = [verdict for verdict in judge_run(done) if verdict.reached]
    return table("targets", HEADINGS, ([cell.strip("*") for cell in row] for row in rows(measured)))


def _versions(name: str) -> Mapping[str, str]:
    try:
        return CONTENDERS[name].versions()
    except CannotStart:
        return {}


def _line(outcome: Outcome) -> str:
    title = CONTENDERS[outcome.contender].title
    if isinstance(outcome, Failure):
        return f"{title}, {outcome.model}: [red]{outcome.why}[/red]"
    told = f"{outcome.rate:,.0f}/s, p50 {outcome.p50_ms:.2f} ms, p99 {outcome.p99_ms:.2f} ms"
    errors = f", [red]{outcome.errors} errors[/red]" if outcome.errors else ""
    return f"{title}, {outcome.model}, {outcome.connections} connections: {told}{errors}"


def _chosen(given: str, known: Mapping[str, object]) -> list[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{name} is none of {', '.join(known)}")
    return names


def _numbers(given: str) -> list[int]:
    return [int(part) for part in given.split(",")]
