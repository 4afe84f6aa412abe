"""A worker that can't go on ends, and says why: it strands nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.worker.onnx.test_batch_wait import doubling
from tests.worker.processes import starting, write_model

BREAKS = """
    import atexit, sys, threading, time
    import numpy as np
    class Breaks:
        def __init__(self, onnx):
            self.session = onnx["model"]
            threading.Thread(target=time.sleep, args=(600,)).start()
            atexit.register(time.sleep, 600)
        def transform_predict(self, variables):
            match variables.get("what"):
                case "batch": sys.modules["_pawl.onnx.batchable"].Batchable.took = None
                case "choice": sys.modules["_pawl.onnx.batcher"].choose = None
                case "error":
                    sys.modules["_pawl.serving.scorer"].refusal = None
                    raise ValueError
            return {"y": self.session.run(None, {"x": np.ones((1, 1), np.float32)})[0]}
"""


@pytest.mark.parametrize(
    ("what", "config"),
    [
        ("batch", {"concurrent": True, "max_batch": 1}),
        ("choice", {"concurrent": True}),
        ("error", {"concurrent": True}),
        ("error", {"threads": 1}),
    ],
    ids=["in the thread of batches", "in the loop", "in a greenlet", "in a thread of requests"],
)
def test_a_failure_of_ours_ends_the_worker_and_is_seen(tmp_path: Path, what: str, config: dict[str, Any]) -> None:
    with starting(write_model(tmp_path, BREAKS, model__onnx=doubling()), **config) as worker:
        worker.ready()
        with worker.connect() as gateway:
            gateway.send({"variables": {"what": what}})
            with pytest.raises((EOFError, ConnectionResetError)):
                gateway.receive()
        assert worker.wait() == 1
        assert "TypeError: 'NoneType' object is not callable" in worker.errors()
