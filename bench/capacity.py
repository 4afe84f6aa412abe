"""Where more processes stop helping: reasoning from the CPU time of a request, not a measurement."""

from __future__ import annotations

from dataclasses import dataclass

from loader.workers.machine import onnx_threads


@dataclass(frozen=True)
class Costs:
    """CPU seconds of one request."""

    gateway: float
    loop: float
    """Of the worker's main thread: all Python of the model, and of fast sessions ONNX Runtime as well."""
    batches: float = 0.0
    """Of the worker's other threads: ONNX Runtime, where a batch takes so long that the loop goes on meanwhile."""
    load: float = 0.0
    """Of the load generator; 0 where it has a machine of its own."""


@dataclass(frozen=True)
class Bend:
    """No more requests a second than this, and what it is that gives no more."""

    rate: float
    by: str


def bend(costs: Costs, gateways: int, workers: int, cores: int) -> Bend:
    """An upper bound: as if nobody waited for anybody, and a request cost the same however many there are.

    A gateway is one thread, the load generator another; a worker is one that runs Python, and ONNX Runtime's own.
    """
    bounds = {
        "cores": _each(cores, costs.gateway + costs.loop + costs.batches + costs.load),
        "gateways": _each(gateways, costs.gateway),
        "workers": _each(workers, costs.loop),
        "ONNX Runtime": _each(workers * onnx_threads(cores, workers), costs.batches),
        "load generator": _each(1, costs.load),
    }
    by = min(bounds, key=lambda name: bounds[name])
    return Bend(bounds[by], by)


def _each(threads: int, seconds: float) -> float:
    return threads / seconds if seconds else float("inf")
