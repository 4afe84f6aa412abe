"""`scripts/bench push`: how long a push takes to be served, what callers notice of it, the start, and the weight."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.progress import track

from bench.inputs.pushing import copy_example, remote
from bench.machine.home import ROOT
from bench.machine.processes import pss_mb
from bench.machine.screen import console
from bench.push_load import Figures, measure_load
from bench.push_training import measure_training
from tests.processes import descendants
from tests.repos import Repo
from tests.serving import Server, serving
from tests.waiting import wait_for

_PAUSE_S = 1.0
"""Between two pushes that are timed one by one: nobody pushes faster by hand, and the server uses it."""


def main(
    only: Annotated[
        list[str] | None, typer.Option(help="latency, load, training, start or memory; all of them if not given")
    ] = None,
    pushes: Annotated[int, typer.Option(help="pushes timed one after the other")] = 50,
    minutes: Annotated[float, typer.Option(help="minutes of pushes under load, one push a second")] = 5.0,
) -> None:
    """Time pushes, push under load, time the start, weigh the processes."""
    parts: dict[str, Callable[[Path], Figures]] = {
        "latency": lambda folder: measure_latency(folder, pushes),
        "load": lambda folder: measure_load(folder, minutes * 60),
        "training": lambda folder: measure_training(folder, pushes),
        "start": measure_start,
        "memory": measure_memory,
    }
    for name in only or parts:
        with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder:
            _print(name, parts[name](Path(folder)))


def measure_latency(folder: Path, pushes: int) -> Figures:
    """Seconds from the webhook to the first answer by the new version: a plain class, and one with an ONNX file."""
    return {
        f"{model} {what}": seconds
        for model in ("Echo", "BreastCancer")
        for what, seconds in _time_pushes(folder / model, model, pushes).items()
    }


def _time_pushes(folder: Path, model: str, pushes: int) -> Figures:
    repo, bare = remote(folder)
    took = []
    with serving(folder / "data", bare) as server:
        for number in track(range(2, pushes + 2), "pushes", console=console, transient=True):
            etls = repo.path / model / "etls.py"
            repo.write(f"{model}/etls.py", f"{etls.read_text()}# edition {number}\n").commit()
            repo.push(bare)
            time.sleep(_PAUSE_S)
            began = time.perf_counter()
            assert server.admin("POST", "/-/sync").status == 202
            _wait_for_version(server, model, f"v{number}")
            took.append(time.perf_counter() - began)
    return {"median s": statistics.median(took), "least s": min(took), "most s": max(took), "pushes": len(took)}


def _wait_for_version(server: Server, model: str, version: str) -> None:
    wait_for(lambda: server.post(f"/{model}").headers["x-pawl-version"] == version, version, lambda: server.log)


def measure_start(folder: Path) -> Figures:
    """Seconds from `scripts/serve`, set up before, to the first answer by an example model, and to readiness."""
    subprocess.run(["scripts/setup"], cwd=ROOT, check=True)
    first, ready = [], []
    for number in range(6):
        answer_s, ready_s = _start_once(folder, 18500 + number)
        if number:  # the first one builds environments
            first.append(answer_s)
            ready.append(ready_s)
    return {"first answer, median s": statistics.median(first), "all models, median s": statistics.median(ready)}


def measure_memory(folder: Path) -> Figures:
    """Megabytes of memory (PSS) of an idle server of one ONNX model."""
    repo = Repo(folder / "models")
    copy_example(repo, "Digits")
    repo.commit()
    with serving(folder / "data", repo.path) as server:
        server.request("GET", f"{server.base}/")
        server.score("Digits", pixels=[0.0] * 64)
        server.wait((folder / "data/registry.db").exists, "the registry")
        server.wait(server.warm_workers, "the warm worker")
        [gateway], [worker], [warm] = server.gateways(), server.workers(), server.warm_workers()
        pids = {"daemon": server.process.pid, "gateway": gateway, "worker": worker, "warm worker": warm}
        figures = {name: pss_mb(pid) for name, pid in pids.items()}
    return {f"{name} MB": value for name, value in figures.items()} | {"together MB": sum(figures.values())}


def _start_once(folder: Path, port: int) -> tuple[float, float]:
    environ = {**os.environ, "PORT": str(port), "DATA_DIR": str(folder / "data")}
    began = time.perf_counter()
    process = subprocess.Popen(
        ["scripts/serve"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _status(f"{url}/models_serve/BreastCancer") in (200, 422), "the first answer")
        first = time.perf_counter() - began
        wait_for(lambda: _status(f"{url}/readyz") == 200, "readiness")
        return first, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()
        assert not descendants(process.pid)


def _status(url: str) -> int:
    try:
        return httpx.get(url).status_code
    except httpx.HTTPError:
        return 0


def _print(name: str, figures: Figures) -> None:
    console.print(f"[bold]{name}[/bold]")
    for what, value in figures.items():
        console.print(f"  {what:<24} {value:,.3f}" if isinstance(value, float) else f"  {what:<24} {value:,}")
