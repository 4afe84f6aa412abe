"""`scripts/bench many`: two hundred small models at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Annotated

import typer

from bench import processes, wrk
from bench.models import MODELS
from bench.models_server import endpoint, serving_files, wait_ready
from bench.peers import pawl
from bench.prepare import prepare
from bench.report import tell
from tests.serving import Server, descendants

MANY = 200
_READY_S = 900.0
_IDLE_S = 10.0
_SETTLE_S = 3.0
"""After the start: what is done once, when nothing has been started for a moment, is no part of idling."""
_TURNS = 21


def main(
    models: Annotated[int, typer.Option(help="how many there are")] = MANY,
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 2.0,
) -> None:
    """Memory per idle model, time to ready, and what the others cost one that is busy."""
    prepare()
    with _serving(1) as (few, ready_one):
        memory_one = _memory_mb(few)
        with _serving(models) as (many, ready_all):
            memory_all, idle = _memory_mb(many), _idle(many)
            alone, among = _rates(few, many, seconds)
    shares = [those / one for one, those in zip(alone, among, strict=True)]
    tell(
        "many",
        {
            "models": models,
            "seconds to ready, one": ready_one,
            "seconds to ready, all": ready_all,
            "memory of each idle model, MB": (memory_all - memory_one) / max(1, models - 1),
            "memory together, MB": memory_all,
            **{f"idle CPU, {role}, % of a core": share for role, share in idle.items()},
            "a busy one alone, requests/s": median(alone),
            "a busy one among all, requests/s": median(among),
            "among all / alone": median(shares),
        },
        {"among all / alone": shares},
    )


@contextmanager
def _serving(models: int) -> Iterator[tuple[Server, float]]:
    """The server, and the seconds that it took to be ready."""
    files: dict[str, str | bytes] = {}
    for number in range(models):
        files |= pawl.files(f"M{number:03}", MODELS["trees"])
    with serving_files(files) as server:
        yield server, wait_ready(server, _READY_S)


def _memory_mb(server: Server) -> float:
    """Proportional set size of all its processes."""
    return sum(processes.pss_mb(pid) for pid in descendants(server.process.pid))


def _idle(server: Server) -> Mapping[str, float]:
    """CPU time while nobody asks, in per cent of one core, by role."""
    time.sleep(_SETTLE_S)
    pids = descendants(server.process.pid)
    before = processes.cpu(pids)
    time.sleep(_IDLE_S)
    used = processes.difference(before, processes.cpu(pids))
    return {role: 100 * seconds / _IDLE_S for role, seconds in used.items() if seconds}


def _rates(few: Server, many: Server, seconds: float) -> tuple[Sequence[float], Sequence[float]]:
    """A busy model's rates alone and among all, in turn, for a machine changes with time.

    It is alone while the daemon of the others is stopped; their gateway and workers do next to nothing unasked.
    """
    alone, among = [], []
    for _ in range(_TURNS):
        try:
            many.process.send_signal(signal.SIGSTOP)
            alone.append(_rate(few, seconds))
        finally:
            many.process.send_signal(signal.SIGCONT)
        among.append(_rate(many, seconds))
    return alone, among


def _rate(server: Server, seconds: float) -> float:
    body = pawl.pack(MODELS["trees"].rows(1)[0].tolist())
    busy = endpoint(server, "/M000")
    wrk.load(busy, body, 32, 1)
    return wrk.load(busy, body, 32, seconds).rate
