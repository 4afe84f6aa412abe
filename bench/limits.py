"""ONNX Runtime alone, in a loop: no server can be faster than that."""

from __future__ import annotations

import time

from bench.models import Model

BATCHES = (1, 8, 32, 64)


def rows_per_second(model: Model, batch: int, seconds: float) -> float:
    """Of one session with one thread, called with `batch` rows at a time."""
    rows, runs = model.rows(batch), 0
    run, feeds = model.session.run, {"X": rows}
    run(["probabilities"], feeds)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        run(["probabilities"], feeds)
        runs += 1
    return runs * batch / (time.perf_counter() - began)
