"""`scripts/bench many`: two hundred small models at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated

import typer

from bench import processes, wrk
from bench.models import MODELS
from bench.models_server import endpoint, serving_files, wait_ready
from bench.peers import pawl
from bench.prepare import prepare
from bench.report import tell
from tests.serving import Server

_READY_S = 900.0
_TRIES = 6


def main(
    models: Annotated[int, typer.Option(help="how many there are")] = 200,
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 5.0,
) -> None:
    """Memory per idle model, time to ready, and what the others cost one that is busy."""
    prepare()
    alone = _measure(1, seconds, _TRIES // 2)
    together = _measure(models, seconds, _TRIES)
    again = _measure(1, seconds, _TRIES // 2)  # the machine may have changed meanwhile
    alone_rate = max(alone["rate"], again["rate"])
    per_model = (together["memory"] - alone["memory"]) / max(1, models - 1)
    tell(
        "many",
        {
            "models": models,
            "seconds to ready, one": alone["ready"],
            "seconds to ready, all": together["ready"],
            "memory of each idle model, MB": per_model,
            "memory together, MB": together["memory"],
            "idle CPU of all, % of a core": together["idle"],
            "a busy one alone, requests/s": alone_rate,
            "a busy one among all, requests/s": together["rate"],
            "among all / alone": together["rate"] / alone_rate,
        },
    )


def _measure(models: int, seconds: float, tries: int) -> Mapping[str, float]:
    files: dict[str, str | bytes] = {}
    for number in range(models):
        files |= pawl.files(f"M{number:03}", MODELS["trees"])
    with serving_files(files) as server:
        ready = wait_ready(server, _READY_S)
        memory, idle = processes.memory_mb(), _idle(seconds)
        return {"ready": ready, "memory": memory, "idle": idle, "rate": _rate(server, seconds, tries)}


def _idle(seconds: float) -> float:
    """CPU time while nobody asks, in per cent of one core."""
    before = processes.cpu()
    time.sleep(seconds)
    return 100 * sum(processes.difference(before, processes.cpu()).values()) / seconds


def _rate(server: Server, seconds: float, tries: int) -> float:
    """The best of several."""
    body = pawl.pack(MODELS["trees"].rows(1)[0].tolist())
    busy = endpoint(server, "/M000")
    wrk.load(busy, body, 32, 1)
    return max(wrk.load(busy, body, 32, seconds).rate for _ in range(tries))
