"""Throughput, beside the limits and the peers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.figures.rounds import NotMeasured, Rounds, View
from bench.figures.table import HEADINGS, cpu_parts, rows
from bench.inputs.models import MODELS
from bench.peers.contenders import CONTENDERS
from bench.peers.pawl import ETLS
from bench.report.sections.markdown import measured_on, table


def section(content: Any) -> Iterable[str]:
    """Tables for each model and number of connections; how each contender is set."""
    run = Rounds.of(content)
    yield "## Throughput, beside the limits and the peers\n"
    yield measured_on(content)
    yield from _how(content, run)
    yield "![Requests per second](benchmarks/rates.svg)\n"
    for model, connections in run.scenes:
        yield f"### {MODELS[model].title}; connections: {connections}\n"
        yield table(HEADINGS, [*rows(run, model, connections), *_failed(run, model)])
        yield from _about_pawl(run, model, connections)
    yield from _alone(run.best)
    yield from _set(content)


def _how(content: Any, run: Rounds) -> Iterable[str]:
    plan = content["plan"]
    yield (
        f"{plan['seconds']:g} s each after a warm-up; rounds: {plan['rounds']}, of which each one's best counts. "
        f"Cores that a server may use: {min(plan['server_cores'], content['machine']['cores'])}; wrk has the others, "
        "or the same where there are none."
    )
    loads = [sample.load_average for sample in run.samples]
    yield f"Load average while measuring, the bench included: {min(loads):.1f} to {max(loads):.1f}.\n"
    if run.stalls:
        yield (
            f"A process that only watches the clock, one on each core, lost {min(run.stalls):.1%} to "
            f"{max(run.stalls):.1%} of its time before the rounds, to other processes of the machine and to its host; "
            "servers lose it too.\n"
        )
    if content["note"]:
        yield f"{content['note']}\n"


def _about_pawl(run: Rounds, model: str, connections: int) -> Iterable[str]:
    if parts := cpu_parts(run, model, connections):
        yield f"Pawl's CPU s/1,000: {parts}.\n"
    if model == "network":  # the trees alone are so fast that a server's rate says nothing beside theirs
        try:
            share = run.spread(lambda view: view.rate("pawl", model, connections) / view.limit(model, 32))
        except NotMeasured:
            return
        yield f"Pawl reaches {share} of ONNX Runtime alone at batch 32.\n"


def _failed(run: Rounds, model: str) -> Iterable[list[str]]:
    for failure in run.failures:
        if failure.model == model:
            title = CONTENDERS[failure.contender].title
            yield [title, f"failed: {failure.why}", *[""] * (len(HEADINGS) - 2)]


def _alone(view: View) -> Iterable[str]:
    models: Mapping[str, None] = dict.fromkeys(model for model, _ in view.limits)
    batches = sorted({batch for _, batch in view.limits})
    yield "### ONNX Runtime alone, in a loop, one thread: rows/s\n"
    lines = [[MODELS[model].title, *(f"{view.limit(model, batch):,.0f}" for batch in batches)] for model in models]
    yield table(["", *(f"batch {batch}" for batch in batches)], lines)


def _set(content: Any) -> Iterable[str]:
    yield "### How each is set\n"
    for name, versions in content["versions"].items():
        told = ", ".join(f"{package} {version}" for package, version in versions.items()) or "not installed"
        yield f"- **{CONTENDERS[name].title}**: {CONTENDERS[name].note} ({told})"
    yield f"\nPawl's `etls.py`, for both models:\n\n```python\n{ETLS.strip()}\n```\n"
