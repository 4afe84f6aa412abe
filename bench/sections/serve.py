"""Throughput, beside the limits and the peers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.contenders import CONTENDERS
from bench.models import MODELS
from bench.peers.pawl import ETLS
from bench.sample import Failure, Sample, best
from bench.sections.markdown import measured_on, table
from bench.table import HEADINGS, cpu_parts, rows, unique


def section(content: Any) -> Iterable[str]:
    """Tables for each model and number of connections; how each contender is set."""
    samples = best([Sample(**each) for each in content["samples"]])
    failures = unique([Failure(**each) for each in content["failures"]])
    plan = content["plan"]
    yield "## Throughput, beside the limits and the peers\n"
    yield measured_on(content)
    yield f"{plan['seconds']:g} s each after a warm-up; rounds: {plan['rounds']}, of which each one's best counts."
    loads = [sample["load_average"] for sample in content["samples"]]
    yield f"Load average while measuring, the bench included: {min(loads):.1f} to {max(loads):.1f}.\n"
    if content["note"]:
        yield f"{content['note']}\n"
    yield "![Requests per second](benchmarks/rates.svg)\n"
    for model, connections in sorted(dict.fromkeys((sample.model, sample.connections) for sample in samples)):
        here = [sample for sample in samples if (sample.model, sample.connections) == (model, connections)]
        yield f"### {MODELS[model].title}; connections: {connections}\n"
        yield table(HEADINGS, [*rows(here), *_failed(failures, model)])
        if parts := cpu_parts(here):
            yield f"Pawl's CPU s/1,000: {parts}.\n"
        yield _of_runtime(here, content["onnxruntime_alone"][model]["32"])
    yield from _alone(content["onnxruntime_alone"])
    yield from _set(content)


def _of_runtime(samples: Sequence[Sample], alone: float) -> str:
    rates = {sample.contender: sample.rate for sample in samples}
    return f"Pawl reaches {rates['pawl'] / alone:.2f} of ONNX Runtime alone at batch 32.\n" if "pawl" in rates else ""


def _failed(failures: Sequence[Failure], model: str) -> Iterable[Sequence[str]]:
    for failure in failures:
        if failure.model == model:
            title = CONTENDERS[failure.contender].title
            yield [title, f"failed: {failure.why}", *[""] * (len(HEADINGS) - 2)]


def _alone(alone: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    yield "### ONNX Runtime alone, in a loop, one thread: rows/s\n"
    batches = list(next(iter(alone.values())))
    lines = [[MODELS[model].title, *(f"{rate:,.0f}" for rate in rates.values())] for model, rates in alone.items()]
    yield table(["", *(f"batch {batch}" for batch in batches)], lines)


def _set(content: Any) -> Iterable[str]:
    yield "### How each is set\n"
    for name, versions in content["versions"].items():
        told = ", ".join(f"{package} {version}" for package, version in versions.items()) or "not installed"
        yield f"- **{CONTENDERS[name].title}**: {CONTENDERS[name].note} ({told})"
    yield f"\nPawl's `etls.py`, for both models:\n\n```python\n{ETLS.strip()}\n```\n"
