"""The figures of the contenders as rows, and on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from bench.figures.rounds import NotMeasured, Rounds
from bench.figures.sample import Failure, Sample
from bench.peers.contenders import CONTENDERS

HEADINGS = ("", "req/s", "of bare", "of Pawl", "p50 ms", "p99 ms", "errors", "CPU s/1,000", "MB", "batch")


def table(title: str, headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    """The first column to the left, the others to the right."""
    made = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for line in lines:
        made.add_row(*line)
    return made


def tables(run: Rounds) -> Iterable[Table]:
    """One for each model and number of connections."""
    for model, connections in run.scenes:
        failures = [failure for failure in run.failures if failure.model == model]
        failed = [[CONTENDERS[failure.contender].title, "failed"] for failure in failures]
        made = table(f"{model}, {connections} connections", HEADINGS, [*rows(run, model, connections), *failed])
        made.caption = "\n".join(_notes(run, model, connections, failures))
        yield made


def _notes(run: Rounds, model: str, connections: int, failures: Sequence[Failure]) -> Iterable[str]:
    if parts := cpu_parts(run, model, connections):
        yield f"Pawl's CPU: {parts}"
    for failure in failures:
        yield f"{CONTENDERS[failure.contender].title}: {failure.why}"


def rows(run: Rounds, model: str, connections: int) -> Iterable[Sequence[str]]:
    """What stands under the headings, fastest first."""
    here = [sample for sample in run.best.samples.values() if sample.key[1:] == (model, connections)]
    for sample in sorted(here, key=lambda sample: -sample.rate):
        yield (
            CONTENDERS[sample.contender].title,
            f"{sample.rate:,.0f}",
            _ratio(run, sample, "bare"),
            _ratio(run, sample, "pawl"),
            f"{sample.p50_ms:,.2f}",
            f"{sample.p99_ms:,.2f}",
            f"{sample.errors:,}",
            _seconds(sample.cpu_sum_s),
            f"{sample.memory_mb:,.0f}",
            f"{sample.batch:.1f}" if sample.batch else "",
        )


def cpu_parts(run: Rounds, model: str, connections: int) -> str:
    """CPU seconds per 1,000 requests of Pawl's processes; empty without Pawl."""
    sample = run.best.samples.get(("pawl", model, connections))
    parts = sample.cpu_s if sample else {}
    return ", ".join(f"{role} {parts[role]:.3f}" for role in ("gateway", "worker", "daemon") if role in parts)


def _ratio(run: Rounds, sample: Sample, other: str) -> str:
    if sample.contender == other:
        return "1.00"
    try:
        return str(run.ratio(sample, other))
    except NotMeasured:
        return ""


def _seconds(cpu_s: float) -> str:
    """Of a process that was not reaped nobody knows them, and the others' seem to have become fewer."""
    return f"{cpu_s:.3f}" if cpu_s > 0 else "?"
