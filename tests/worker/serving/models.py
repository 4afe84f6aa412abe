"""Models that answer at once, or wait until a test says so."""

from __future__ import annotations

import os
from pathlib import Path

from tests.worker.processes import Worker

ECHO = """
    class Echo:
        def transform_predict(self, variables):
            return variables
"""


GATE = """
    import os
    class Gate:
        def transform_predict(self, variables):
            if variables.get("wait"):
                print("began", flush=True)
                with open(os.path.dirname(os.getcwd()) + "/gate") as gate:
                    gate.read()
            return {"x": variables.get("x")}
"""
"""Waits for a named pipe in the release's folder to be opened and closed."""


def began(worker: Worker) -> None:
    assert worker.process.stdout is not None
    assert worker.process.stdout.readline() == b"began\n"


def make_gate(root: Path) -> Path:
    os.mkfifo(root / "gate")
    return root / "gate"
