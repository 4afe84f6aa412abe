"""ONNX Runtime alone, in a loop: no server can be faster than that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.inputs.models import MODELS, Model

_BATCHES = (1, 8, 32, 64)
_EACH_S = 1.0


@dataclass(frozen=True)
class Limit:
    """One session with one thread, called with `batch` rows at a time."""

    model: str
    batch: int
    rate: float
    """Rows a second."""
    round: int = 0


def measure_limits(models: Iterable[str], number: int) -> Iterator[Limit]:
    """Those of one round."""
    for name in models:
        for batch in _BATCHES:
            yield Limit(name, batch, _rows_per_second(MODELS[name], batch), number)


def _rows_per_second(model: Model, batch: int) -> float:
    rows, runs = model.rows(batch), 0
    run, feeds = model.session.run, {"X": rows}
    run(["probabilities"], feeds)
    began = time.perf_counter()
    while time.perf_counter() - began < _EACH_S:
        run(["probabilities"], feeds)
        runs += 1
    return runs * batch / (time.perf_counter() - began)
