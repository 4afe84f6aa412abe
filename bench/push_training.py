"""`scripts/bench push --only training`: how long a push of a changed parameter takes to train and to be served."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from rich.progress import track

from bench.machine.screen import console
from bench.push_load import Figures
from tests.repos import Repo
from tests.serving import Server, serving

TRAIN = """
import time


def train(output, number):
    end = time.monotonic() + 1  # a fit of a second
    while time.monotonic() < end:
        sum(range(10_000))
    with open(output + "number", "w") as file:
        file.write(str(number))
    return 1.0
"""
ETLS = """
class Trained:
    def __init__(self, path):
        self.number = int(open(path + "number").read())

    def transform_predict(self, variables):
        return {"number": self.number}
"""


def measure_training(folder: Path, pushes: int) -> Figures:
    """Seconds from the webhook to the start of the run, and to the first answer by what it left.

    A push of `etls.py` alone follows each, and has to start no run.
    """
    repo = Repo(folder / "models").write("Trained/train.py", TRAIN).write("Trained/etls.py", ETLS)
    repo.write("Trained/model.yaml", _params(1)).commit()
    bare = repo.bare(folder / "remote.git")
    began, served = [], []
    with serving(folder / "data", bare) as server:
        _wait_for_answer(server, 1)
        for number in track(range(2, pushes + 2), "pushes", console=console, transient=True):
            repo.write("Trained/model.yaml", _params(number)).commit()
            at = _push(server, repo, bare)
            _wait_for_run(server, number)
            began.append(time.perf_counter() - at)
            _wait_for_answer(server, number)
            served.append(time.perf_counter() - at)
            repo.write("Trained/etls.py", f"{ETLS}# edition {number}\n").commit()
            _push(server, repo, bare)
            server.wait_live("Trained", f"v{2 * number - 1}")
        runs = len(_runs(server))
    if runs != pushes + 1:
        raise AssertionError(f"{runs} runs for {pushes + 1} sets of parameters")
    return {
        "run begun, median s": statistics.median(began),
        "run begun, most s": max(began),
        "served, median s": statistics.median(served),
        "served, most s": max(served),
        "pushes": pushes,
    }


def _params(number: int) -> str:
    return f"train: {{params: {{number: {number}}}}}\n"


def _push(server: Server, repo: Repo, bare: Path) -> float:
    """When its notice was sent."""
    repo.push(bare)
    at = time.perf_counter()
    assert server.admin("POST", "/-/sync").status == 202
    return at


def _wait_for_answer(server: Server, number: int) -> None:
    server.wait(lambda: server.post("/Trained", {"variables": {}}).json == {"number": number}, f"answer {number}")


def _wait_for_run(server: Server, number: int) -> None:
    def has_begun() -> bool:
        return sum(run["state"] not in ("queued", "pending") for run in _runs(server)) == number

    server.wait(has_begun, f"run {number}")


def _runs(server: Server) -> list[Any]:
    return list(server.admin("GET", "/-/api/runs?model=Trained&limit=1000").json["items"])
