"""Where more processes stop helping: reasoning from the CPU time of a request, not a measurement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """CPU seconds of one request."""

    gateway: float
    worker: float
    """ONNX Runtime included."""
    onnx: float
    """ONNX Runtime alone, for one row of a batch."""
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
    python = max(costs.worker - costs.onnx, 0.0)
    bounds = {
        "cores": _each(cores, costs.gateway + costs.worker + costs.load),
        "gateways": _each(gateways, costs.gateway),
        "workers": _each(workers, python),
        "ONNX Runtime": _each(workers * onnx_threads(cores, workers), costs.onnx),
        "load generator": _each(1, costs.load),
    }
    by = min(bounds, key=lambda name: bounds[name])
    return Bend(bounds[by], by)


def onnx_threads(cores: int, workers: int) -> int:
    """Those that Pawl gives each worker: the cores but one, shared out."""
    return max(1, (cores - 1) // workers)


def _each(threads: int, seconds: float) -> float:
    return threads / seconds if seconds else float("inf")
