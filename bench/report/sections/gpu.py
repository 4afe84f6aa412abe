"""Models on a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.report.sections.markdown import measured_on, table

_TARGET = 0.8
_HEADINGS = ("connections", "req/s", "p50 ms", "p99 ms", "batch", "ONNX Runtime alone", "of it", "errors")


def unseen() -> Iterable[str]:
    """What stands there until somebody has measured it."""
    yield "## On a GPU\n"
    yield (
        "**Nothing of Pawl has been measured on a GPU yet**, for none was at hand; what of the code for it was tried, "
        "was tried on a CPU. `scripts/bench gpu` measures it: a 784-2048-2048-10 network and a residual network over "
        "images, through Pawl and through ONNX Runtime alone with the same batch, and how latency grows with load. "
        f"The target is {_TARGET} of ONNX Runtime alone.\n"
    )


def section(content: Any) -> Iterable[str]:
    """Paragraphs, from the JSON of `scripts/bench gpu`."""
    plan = content["plan"]
    yield "## On a GPU\n"
    yield f"{measured_on(content)}\n"
    yield (
        f"The GPU: {content['gpu']}; ONNX Runtime {content['onnxruntime']}; load by {content['load']}; gateways: "
        f"{plan['gateways']}, workers: {plan['replicas']}, max_batch: {plan['max_batch']}; {plan['seconds']:g} s each. "
        '"ONNX Runtime alone" is in a loop, in rows a second, with numpy arrays of as many rows as Pawl\'s mean batch '
        f"had, with its own options or with Pawl's, whichever is quicker. The target is {_TARGET} of it.\n"
    )
    for model in content["models"].values():
        yield f"### {model['title']}, on {model['provider']}\n"
        yield table(_HEADINGS, map(_line, model["samples"]))
        rates = ", ".join(f"{rate:,.0f} at batch {batch}" for batch, rate in model["alone"].items())
        yield f"ONNX Runtime alone: {rates} rows/s. Pawl answered {model['ready_s']:.1f} s after its start.\n"


def _line(sample: Mapping[str, Any]) -> Sequence[str]:
    return (
        str(sample["connections"]),
        f"{sample['rate']:,.0f}",
        f"{sample['p50_ms']:.2f}",
        f"{sample['p99_ms']:.2f}",
        f"{sample['batch']:.1f}",
        f"{sample['alone']:,.0f}",
        f"{sample['rate'] / sample['alone']:.2f}",
        f"{sample['errors']:,}",
    )
