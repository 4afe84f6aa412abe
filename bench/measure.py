"""One contender with one model: started, warmed up, checked, measured, stopped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from bench.contenders.contender import CannotStart, Contender
from bench.figures.sample import Failure, Outcome, Sample
from bench.inputs.models import Model
from bench.load import wrk
from bench.load.endpoint import Endpoint, WrongAnswer
from bench.machine import cores, processes

_WARM_UP_S = 1.0
BROKEN = (CannotStart, WrongAnswer, OSError, subprocess.SubprocessError)
"""What a contender may do that ends his measurement, and nobody else's."""


def measure(
    name: str,
    contender: Contender,
    model: Model,
    connections: Sequence[int],
    seconds: float,
    server_cores: int | None = None,
) -> Iterator[Outcome]:
    """A sample for each number of connections; a failure instead of those that couldn't be had.

    `server_cores`: how many the server may use, the load generator having the others; None: all use all.
    """
    available = os.sched_getaffinity(0)
    servers, load = cores.share(available, server_cores) if server_cores else (available, available)
    try:
        with ExitStack() as stack:
            with cores.on(servers):
                endpoint = stack.enter_context(contender.serving(model))
            with cores.on(load):
                endpoint.check(model)
                for count in connections:
                    yield _sample(name, endpoint, model, count, seconds)
    except BROKEN as error:
        yield Failure(name, model.name, f"{type(error).__name__}: {error}")


def _sample(name: str, endpoint: Endpoint, model: Model, connections: int, seconds: float) -> Sample:
    body = endpoint.wire.pack(model.rows(1)[0].tolist())
    wrk.load(endpoint, body, connections, _WARM_UP_S)
    cpu, loops, counters = processes.cpu(), processes.loops_cpu(), endpoint.counters()
    load = wrk.load(endpoint, body, connections, seconds)
    loops = processes.loops_cpu() - loops
    used, counted = processes.difference(cpu, processes.cpu()), processes.difference(counters, endpoint.counters())
    thousands = max(1, load.requests) / 1000
    return Sample(
        contender=name,
        model=model.name,
        connections=connections,
        rate=load.rate,
        p50_ms=load.p50_us / 1000,
        p99_ms=load.p99_us / 1000,
        errors=load.errors,
        cpu_s={role: spent / thousands for role, spent in used.items() if spent > 0},
        memory_mb=processes.memory_mb(),
        batch=_mean_batch(counted),
        load_average=os.getloadavg()[0],
        load_cpu_s=load.cpu_s / thousands,
        loops_cpu_s=loops / thousands,
    )


def _mean_batch(counted: Mapping[str, float]) -> float | None:
    return counted["calls"] / counted["batches"] if counted.get("batches") else None
