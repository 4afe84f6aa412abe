"""The figures on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from bench.contenders import CONTENDERS
from bench.sample import Failure, Outcome, Sample, best

HEADINGS = ("", "req/s", "of bare", "of Pawl", "p50 ms", "p99 ms", "errors", "CPU s/1,000", "MB", "batch")

Rates = Mapping[str, float]


def tables(outcomes: Sequence[Outcome]) -> Iterable[Table]:
    """One for each model and number of connections."""
    samples = best([each for each in outcomes if isinstance(each, Sample)])
    failures = unique([each for each in outcomes if isinstance(each, Failure)])
    for model, connections in dict.fromkeys((sample.model, sample.connections) for sample in samples):
        here = [one for one in samples if (one.model, one.connections) == (model, connections)]
        yield _table(f"{model}, {connections} connections", here, [one for one in failures if one.model == model])


def _table(title: str, samples: Sequence[Sample], failures: Sequence[Failure]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for row in rows(samples):
        table.add_row(*row)
    for failure in failures:
        table.add_row(CONTENDERS[failure.contender].title, "failed", *[""] * (len(HEADINGS) - 2))
    table.caption = "\n".join(_notes(samples, failures))
    return table


def _notes(samples: Sequence[Sample], failures: Sequence[Failure]) -> Iterable[str]:
    if parts := cpu_parts(samples):
        yield f"Pawl's CPU: {parts}"
    for failure in failures:
        yield f"{CONTENDERS[failure.contender].title}: {failure.why}"


def rows(samples: Sequence[Sample]) -> Iterable[Sequence[str]]:
    """What stands under the headings, fastest first. All samples are of one model and number of connections."""
    rates = {sample.contender: sample.rate for sample in samples}
    for sample in sorted(samples, key=lambda sample: -sample.rate):
        yield (
            CONTENDERS[sample.contender].title,
            f"{sample.rate:,.0f}",
            ratio(sample.rate, rates.get("bare")),
            ratio(sample.rate, rates.get("pawl")),
            f"{sample.p50_ms:,.2f}",
            f"{sample.p99_ms:,.2f}",
            f"{sample.errors:,}",
            f"{sample.cpu_sum_s:.3f}",
            f"{sample.memory_mb:,.0f}",
            f"{sample.batch:.1f}" if sample.batch else "",
        )


def cpu_parts(samples: Sequence[Sample]) -> str:
    """CPU seconds per 1,000 requests of Pawl's processes; empty without Pawl."""
    parts = next((sample.cpu_s for sample in samples if sample.contender == "pawl"), {})
    return ", ".join(f"{role} {parts[role]:.3f}" for role in ("gateway", "worker", "daemon") if role in parts)


def ratio(rate: float, other: float | None) -> str:
    return f"{rate / other:.2f}" if other else ""


def unique(failures: Sequence[Failure]) -> list[Failure]:
    """Each once, however many rounds it failed in."""
    return list({(failure.contender, failure.model): failure for failure in failures}.values())
