"""`scripts/bench gateways`: what more gateways and more workers give, with as many cores as there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import typer

from bench import record
from bench.capacity import Bend, Costs, bend
from bench.measure import measure
from bench.models import MODELS
from bench.peers.pawl import Pawl
from bench.prepare import prepare
from bench.sample import Failure, Sample
from bench.screen import console
from bench.table import table

_LATENCIES = ("p50 ms", "p99 ms", "errors")
_COSTS = ("gateway µs", "worker µs", "its loop µs", "wrk µs", "cores busy")
HEADINGS = ("", "req/s", *_LATENCIES, *_COSTS, "MB", "batch")
_SETS = ((1, 1), (2, 1), (1, 2), (2, 2))
_CONNECTIONS = (32, 256)


@dataclass(frozen=True)
class Scaled:
    """What so many gateways and workers answered."""

    gateways: int
    workers: int
    sample: Sample

    @classmethod
    def of(cls, content: Any) -> Scaled:
        """From its JSON."""
        return cls(content["gateways"], content["workers"], Sample(**content["sample"]))

    @property
    def title(self) -> str:
        return f"gateways: {self.gateways}, workers: {self.workers}"

    @property
    def costs(self) -> Costs:
        """CPU seconds of one request."""
        spent, loop = self.sample.cpu_s, self.sample.loops_cpu_s
        batches = max(0.0, spent.get("worker", 0.0) - loop)
        return Costs(spent.get("gateway", 0.0) / 1000, loop / 1000, batches / 1000, self.sample.load_cpu_s / 1000)

    def bend(self, cores: int) -> Bend:
        """What it could give at most, were the load generator elsewhere."""
        return bend(replace(self.costs, load=0.0), self.gateways, self.workers, cores)

    def bend_here(self, cores: int) -> Bend:
        """What it could give at most, the load generator being on the same cores."""
        return bend(self.costs, self.gateways, self.workers, cores)


def main(seconds: Annotated[float, typer.Option(help="of each measurement")] = 4.0) -> None:
    """One and two gateways and workers, at 32 and 256 connections: rates, and whose CPU time they cost."""
    prepare()
    scaled = list(_measure(seconds))
    for model, connections in scenes(scaled):
        here = [one for one in scaled if (one.sample.model, one.sample.connections) == (model, connections)]
        console.print(table(f"{model}, {connections} connections", HEADINGS, rows(here)))
    console.print(f"written to {record.write('gateways', _content(seconds, scaled))}")


def scenes(scaled: Sequence[Scaled]) -> list[tuple[str, int]]:
    """Models and numbers of connections."""
    return sorted({(one.sample.model, one.sample.connections) for one in scaled})


def rows(scaled: Sequence[Scaled]) -> Iterator[Sequence[str]]:
    """What stands under the headings."""
    for one in scaled:
        sample = one.sample
        gateway, worker = (1000 * sample.cpu_s.get(role, 0.0) for role in ("gateway", "worker"))
        yield (
            one.title,
            f"{sample.rate:,.0f}",
            f"{sample.p50_ms:,.2f}",
            f"{sample.p99_ms:,.2f}",
            f"{sample.errors:,}",
            f"{gateway:.0f}",
            f"{worker:.0f}",
            f"{1000 * sample.loops_cpu_s:.0f}",
            f"{1000 * sample.load_cpu_s:.0f}",
            f"{sample.rate * (sample.cpu_sum_s + sample.load_cpu_s) / 1000:.2f}",
            f"{sample.memory_mb:,.0f}",
            f"{sample.batch:.1f}" if sample.batch else "",
        )


def _measure(seconds: float) -> Iterator[Scaled]:
    for model in MODELS.values():
        for gateways, workers in _SETS:
            for outcome in measure("pawl", Pawl(gateways, workers), model, _CONNECTIONS, seconds):
                if isinstance(outcome, Failure):
                    console.print(f"[red]{outcome.why}[/red]")
                    raise typer.Exit(1)
                one = Scaled(gateways, workers, outcome)
                console.print(f"[dim]{model.name}, {outcome.connections}, {one.title}: {outcome.rate:,.0f}/s[/dim]")
                yield one


def _content(seconds: float, scaled: Sequence[Scaled]) -> dict[str, Any]:
    return {"seconds": seconds, "scaled": [asdict(one) for one in scaled]}
