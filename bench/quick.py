"""`scripts/bench quick`: before and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from bench.sample import Failure, Sample, best
from bench.screen import console
from bench.serve import Plan, prepare, run
from bench.table import tables


def main(
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 4.0,
    rounds: Annotated[int, typer.Option(help="how often both take their turn; the best counts")] = 3,
) -> None:
    """Pawl and the bare app only, in under two minutes: their ratio is what a change may move."""
    prepare()
    outcomes = list(run(Plan(["bare", "pawl"], ["trees", "network"], [32], seconds, rounds)))
    for table in tables(outcomes):
        console.print(table)
    samples = [each for each in outcomes if isinstance(each, Sample)]
    for model in ("trees", "network"):
        console.print(f"{model}: {_told(samples, model)}")
    if any(isinstance(each, Failure) for each in outcomes):
        raise typer.Exit(1)


def _told(samples: Sequence[Sample], model: str) -> str:
    """Rates, and CPU time beside them, which other work on the machine disturbs less."""
    of = {sample.contender: sample for sample in best(samples) if sample.model == model}
    if len(of) < 2:
        return "no ratio"
    rate, cpu = of["pawl"].rate / of["bare"].rate, of["pawl"].cpu_sum_s / of["bare"].cpu_sum_s
    return f"Pawl answers [bold]{rate:.3f}[/bold] of what the bare app does, with {cpu:.2f} times its CPU time for each"
