"""What Pawl is meant to reach: ratios within one run, for they mean more than rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures.rounds import Compute, View

_FOUR = ("litserve", "bentoml", "mlserver", "ray")


@dataclass(frozen=True)
class Bound:
    """What is asked of one figure."""

    what: str
    must: float | None = None
    """None: nothing, it is there to be compared with."""
    goal: float | None = None
    at_most: bool = False
    """Whether less is better."""

    @property
    def asked(self) -> str:
        if self.must is None:
            return ""
        goal = f" (goal {self.goal:g})" if self.goal is not None else ""
        return f"{'≤' if self.at_most else '≥'} {self.must:g}{goal}"

    def holds(self, value: float, limit: float) -> bool:
        """Whether the value is on the right side of the limit."""
        return value <= limit if self.at_most else value >= limit


def _beside(other: str, model: str, connections: int) -> Compute:
    return lambda view: view.rate("pawl", model, connections) / view.rate(other, model, connections)


def _beside_the_four(model: str, connections: int) -> Compute:
    def compute(view: View) -> float:
        return view.rate("pawl", model, connections) / max(view.rate(name, model, connections) for name in _FOUR)

    return compute


def _of_onnxruntime(connections: int) -> Compute:
    return lambda view: view.rate("pawl", "network", connections) / view.limit("network", 32)


def _p50_above_bare(view: View) -> float:
    return view.sample("pawl", "trees", 1).p50_ms - view.sample("bare", "trees", 1).p50_ms


RATIOS: Sequence[tuple[Bound, Compute]] = (
    (Bound("trees, 32 connections: of the bare app", 0.65, 0.75), _beside("bare", "trees", 32)),
    (Bound("… of Triton, asked with the same JSON", 4), _beside("triton", "trees", 32)),
    (Bound("… of Triton, asked in binary", 4), _beside("triton-binary", "trees", 32)),
    (Bound("… of the best of LitServe, BentoML, MLServer, Ray Serve", 8), _beside_the_four("trees", 32)),
    (Bound("… of the bare app with the session inline", 1.1), _beside("inline", "trees", 32)),
    (Bound("trees, 1 connection: p50 above the bare app's, ms", 0.35, 0.25, at_most=True), _p50_above_bare),
    (Bound("network, 32 connections: of Triton, asked with the same JSON", 2.5), _beside("triton", "network", 32)),
    (Bound("… of Triton, asked in binary", 2.5), _beside("triton-binary", "network", 32)),
    (Bound("… of the best of the four", 4), _beside_the_four("network", 32)),
    (Bound("… of ONNX Runtime alone at batch 32", 0.35, 0.5), _of_onnxruntime(32)),
    (Bound("network, 256 connections: of Triton, asked with the same JSON", 2.5), _beside("triton", "network", 256)),
    (Bound("… of Triton, asked in binary", 2.5), _beside("triton-binary", "network", 256)),
    (Bound("… of the best of the four", 4), _beside_the_four("network", 256)),
    (Bound("… of ONNX Runtime alone at batch 32", 0.35, 0.5), _of_onnxruntime(256)),
)
"""What `scripts/bench serve` measures."""

TAILS: Sequence[tuple[Bound, str, str]] = (
    (Bound("trees, 32 connections: p99 / p50, median of many turns", 2, at_most=True), "pawl", "trees"),
    (Bound("… the bare app's own"), "bare", "trees"),
    (Bound("network, 32 connections: p99 / p50, median of many turns", 2, at_most=True), "pawl", "network"),
    (Bound("… the bare app's own"), "bare", "network"),
)
"""What `scripts/bench tail` measures: the contender, and the model."""

GPU = Bound("on a GPU: of ONNX Runtime alone with the same batch, the model that reaches least", 0.8)
"""What `scripts/bench gpu` measures."""
