"""docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.contenders import CONTENDERS
from bench.models import MODELS
from bench.peers.pawl import ETLS
from bench.report import shown
from bench.sample import Failure, Sample, best
from bench.table import HEADINGS, cpu_parts, rows, unique

_HEAD = """\
# Benchmarks

Written by `scripts/bench publish`; the figures behind it are in [benchmarks/](benchmarks/). To repeat it:

```console
$ scripts/bench serve      # Pawl, the limits and the peers; --help tells how to choose some
$ scripts/bench burst      # and all, large, many
$ scripts/bench publish
```

Before and after a change of your own, `scripts/bench quick` compares Pawl with the bare app in under two minutes.
Where the time goes is in [profile.md](benchmarks/profile.md). Nothing here was measured on a GPU.

What to make of it:

- Everything runs on one machine, the load generator too: the more cores, the less they get in each other's way.
- One run measures everyone in turn, with the same two ONNX files, one ONNX Runtime thread and one worker each, so the
  ratios within a run mean more than the rates. Before it is measured, each server's answers to 64 different rows, 16
  at a time, are held to ONNX Runtime's own; an answer that is wrong counts as a failure to start.
- "CPU s/1,000" is the CPU time of all the server's processes for 1,000 requests, and "MB" their memory (PSS) after
  the load. What else a machine does disturbs the rates and the p99 most, CPU time and memory least.
- "batch" is the mean number of calls that Pawl merged, from its `/metrics`.
"""

_TITLES = {
    "burst": "A burst: four times more requests than a model can answer",
    "all": "POST /all over twenty models",
    "large": "Bodies of a megabyte, 8 connections",
    "many": "Many models at once",
}


def render(kept: Mapping[str, Any]) -> str:
    """The page, from the JSON of the parts that there are."""
    parts = [_HEAD]
    for part, content in kept.items():
        parts += _serve(content) if part == "serve" else _plain(part, content)
    return "\n".join(parts)


def _serve(content: Any) -> Iterable[str]:
    samples = best([Sample(**each) for each in content["samples"]])
    failures = unique([Failure(**each) for each in content["failures"]])
    plan = content["plan"]
    yield "## Throughput, beside the limits and the peers\n"
    yield _measured_on(content)
    yield f"{plan['seconds']:g} s each after a warm-up; rounds: {plan['rounds']}, of which each one's best counts."
    loads = [sample["load_average"] for sample in content["samples"]]
    yield f"Load average while measuring, the bench included: {min(loads):.1f} to {max(loads):.1f}.\n"
    if content["note"]:
        yield f"{content['note']}\n"
    yield "![Requests per second](benchmarks/rates.svg)\n"
    for model, connections in sorted(dict.fromkeys((sample.model, sample.connections) for sample in samples)):
        here = [sample for sample in samples if (sample.model, sample.connections) == (model, connections)]
        yield f"### {MODELS[model].title}; connections: {connections}\n"
        yield _table(HEADINGS, [*rows(here), *_failed(failures, model)])
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
    table = [[MODELS[model].title, *(f"{rate:,.0f}" for rate in rates.values())] for model, rates in alone.items()]
    yield _table(["", *(f"batch {batch}" for batch in batches)], table)


def _set(content: Any) -> Iterable[str]:
    yield "### How each is set\n"
    for name, versions in content["versions"].items():
        told = ", ".join(f"{package} {version}" for package, version in versions.items()) or "not installed"
        yield f"- **{CONTENDERS[name].title}**: {CONTENDERS[name].note} ({told})"
    yield f"\nPawl's `etls.py`, for both models:\n\n```python\n{ETLS.strip()}\n```\n"


def _plain(part: str, content: Any) -> Iterable[str]:
    yield f"## {_TITLES[part]}\n"
    yield _measured_on(content)
    yield ""
    yield _table(["", ""], [[what, shown(value)] for what, value in content["figures"].items()])


def _measured_on(content: Any) -> str:
    machine = content["machine"]
    return (
        f"Measured on {content['date']} at commit `{content['commit']}` on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, Linux {machine['kernel']}, wrk {machine['wrk']}; "
        f"load average at the end {machine['load_average']:.1f}."
    )


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *lines)) + "\n"
