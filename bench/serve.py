"""`scripts/bench serve`: Pawl, the limits and the peers, side by side in one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from bench import limits, processes, record, wrk
from bench.contender import CannotStart
from bench.contenders import CONTENDERS
from bench.measure import measure
from bench.models import MODELS
from bench.sample import Failure, Outcome, Sample
from bench.screen import console
from bench.table import tables

_LIMIT_S = 1.0


@dataclass(frozen=True)
class Plan:
    """What one run measures."""

    contenders: Sequence[str]
    models: Sequence[str]
    connections: Sequence[int]
    seconds: float
    rounds: int

    @property
    def size(self) -> int:
        """How many samples it takes."""
        return len(self.contenders) * len(self.models) * len(self.connections) * self.rounds


def main(
    only: Annotated[str, typer.Option(help=f"some of {','.join(CONTENDERS)}")] = ",".join(CONTENDERS),
    model: Annotated[str, typer.Option(help=f"some of {','.join(MODELS)}")] = ",".join(MODELS),
    connections: Annotated[str, typer.Option(help="numbers of connections")] = "1,32,256",
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 5.0,
    rounds: Annotated[int, typer.Option(help="how often all take their turn; the best counts")] = 1,
    note: Annotated[str, typer.Option(help="what readers should know of the machine")] = "",
) -> None:
    """Throughput, latency, CPU and memory beside the limits and the peers."""
    plan = Plan(_chosen(only, CONTENDERS), _chosen(model, MODELS), _numbers(connections), seconds, rounds)
    prepare()
    alone = measure_limits(plan.models)
    outcomes = list(run(plan))
    for table in tables(outcomes):
        console.print(table)
    path = record.write(
        "serve", {"plan": asdict(plan), "note": note, "onnxruntime_alone": alone, **figures(plan, outcomes)}
    )
    console.print(f"written to {path}; `scripts/bench publish` puts it into docs/benchmarks.md")


def prepare() -> None:
    """What every measurement with the load generator needs."""
    try:
        wrk.install()
    except wrk.NoWrk as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
    processes.adopt()


def measure_limits(models: Sequence[str]) -> dict[str, dict[str, float]]:
    """Rows a second of ONNX Runtime alone, by model and batch."""
    alone = {}
    for name in models:
        alone[name] = {str(batch): limits.rows_per_second(MODELS[name], batch, _LIMIT_S) for batch in limits.BATCHES}
        told = ", ".join(f"{rate:,.0f} at batch {batch}" for batch, rate in alone[name].items())
        console.print(f"ONNX Runtime alone, {name}: {told} rows/s")
    return alone


def run(plan: Plan) -> Iterator[Outcome]:
    """Everyone in turn, as often as there are rounds."""
    number = 0
    for name, model in [
        (name, MODELS[model]) for _ in range(plan.rounds) for model in plan.models for name in plan.contenders
    ]:
        for outcome in measure(name, model, plan.connections, plan.seconds):
            number += 1
            console.print(f"[dim]{number}/{plan.size}[/dim] {_line(outcome)}")
            yield outcome


def figures(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The outcomes as they go into JSON."""
    return {
        "versions": {name: versions(name) for name in plan.contenders},
        "samples": [asdict(each) for each in outcomes if isinstance(each, Sample)],
        "failures": [asdict(each) for each in outcomes if isinstance(each, Failure)],
    }


def versions(name: str) -> Mapping[str, str]:
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
