"""`scripts/bench burst`: four times more requests than a model can answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from bench import processes, wrk
from bench.arrivals import Arrival, arrive
from bench.endpoint import dump
from bench.models_server import endpoint, serving_files, wait_ready
from bench.percentile import percentile
from bench.prepare import prepare
from bench.report import Figures, tell
from tests.serving import Server

_ETLS = """
import time


class Slow:
    def transform_predict(self, variables):
        time.sleep(0.0018)
        return {"ok": True}
"""
"""Sleeps, so that its capacity is not a matter of what else the machine does: about 500 requests a second."""

_BODY = dump({"variables": {"x": 1}})
_LOOK_S = 0.1


def main(
    times: Annotated[float, typer.Option(help="requests that come, as a multiple of capacity")] = 4.0,
    seconds: Annotated[float, typer.Option(help="how long they come")] = 10.0,
) -> None:
    """Goodput, how quickly the rest are refused, and memory, when more requests come than can be answered."""
    prepare()
    with serving_files({"Slow/etls.py": _ETLS}) as server:
        wait_ready(server, 60)
        tell("burst", _measure(server, times, seconds))


def _measure(server: Server, times: float, seconds: float) -> Figures:
    slow = endpoint(server, "/Slow")
    capacity = wrk.load(slow, _BODY, 16, 3).rate
    before = processes.memory_mb()
    with _watched_memory() as seen:
        arrivals = arrive(slow.url, _BODY, times * capacity, seconds)
    good = [one for one in arrivals if one.status == 200]
    refused = [one for one in arrivals if one.status == 503]
    inside = [one for one in good if one.answered <= seconds]
    return {
        "capacity, requests/s (16 connections)": capacity,
        "came, requests/s": len(arrivals) / seconds,
        "goodput during the burst, requests/s": len(inside) / seconds,
        "goodput / capacity": len(inside) / seconds / capacity,
        "answered 200": len(good),
        "refused with 503": len(refused),
        "other answers": len(arrivals) - len(good) - len(refused),
        "503: p50 ms": _took_ms(refused, 0.50),
        "503: p99 ms": _took_ms(refused, 0.99),
        "503: slowest ms": _took_ms(refused, 1.0),
        "200: p50 ms": _took_ms(good, 0.50),
        "200: slowest ms": _took_ms(good, 1.0),
        "memory before, MB": before,
        "memory at most, MB": max(seen),
    }


def _took_ms(arrivals: list[Arrival], share: float) -> float:
    """Milliseconds within which that share was answered."""
    return 1000 * percentile([one.took for one in arrivals], share)


@contextmanager
def _watched_memory() -> Iterator[list[float]]:
    """Looks at the memory all the time, in a thread."""
    seen, stop = [processes.memory_mb()], threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_S):
            seen.append(processes.memory_mb())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
