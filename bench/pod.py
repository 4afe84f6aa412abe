"""`scripts/bench pod`: what a server needs of memory and CPU, for the requests and limits of deploy/k8s."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import typer

from tests.serving import ROOT, Server, serving
from tests.waiting import PATIENCE_S

_BUILD_S = 900.0
_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 2**20
_MODELS = ROOT / "models_serve"
_IRIS = {"variables": {"measurements": [5.5, 3.5, 1.3, 0.2]}}
_COLUMNS = ("models", "starting", "at rest", "swapping all", "asked", "CPU to start", "at rest", "of 1,000 requests")


def main(seconds: float = typer.Option(10.0, help="How long it is watched at rest, and asked.")) -> None:
    """Memory and CPU of a whole server, all its processes, with one and with six of the examples."""
    typer.echo(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    examples = sorted(path.name for path in _MODELS.iterdir() if (path / "model.yaml").exists())
    for models in (["Iris"], examples):
        typer.echo(_measure(models, seconds))


def _measure(models: list[str], seconds: float) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in [*models, ".artifacts"]:
            shutil.copytree(_MODELS / model, folder / "models_serve" / model)
        with serving(folder / "data", cwd=folder, ready=False) as server:
            _wait_live(server, models)  # the environments are built here, and are on the claim from then on
        with serving(folder / "data", cwd=folder, ready=False) as server:
            with _peak(server) as start:
                _wait_live(server, models)
            start_s = _cpu_s(server)
            rest_s, rest = _resting(server, seconds)
            with _peak(server) as push:
                _push(server, folder / "models_serve", models)
            with _peak(server) as load:
                asked_s = _ask(server, seconds)
    figures = [f"{peak:.0f} MB" for peak in (start[0], rest, push[0], load[0])]
    return (
        "| "
        + " | ".join([str(len(models)), *figures, f"{start_s:.1f} s", f"{rest_s * 1000:.0f} m", f"{asked_s:.2f} s"])
        + " |"
    )


def _wait_live(server: Server, models: list[str]) -> None:
    server.wait(lambda: all((server.state(model) or {}).get("live") for model in models), "models", _BUILD_S)


def _resting(server: Server, seconds: float) -> tuple[float, float]:
    """Cores, and megabytes."""
    before = _cpu_s(server)
    time.sleep(seconds)
    return (_cpu_s(server) - before) / seconds, _memory(server)


def _push(server: Server, folder: Path, models: list[str]) -> None:
    before = {model: server.state(model)["live"]["release"] for model in models}
    for model in models:
        with (folder / model / "model.yaml").open("a") as manifest:
            manifest.write("# another release\n")
    server.wait(lambda: all(server.state(m)["live"]["release"] != before[m] for m in models), "the push")


def _ask(server: Server, seconds: float) -> float:
    """CPU seconds for a thousand requests of eight clients."""
    before, asked, end = _cpu_s(server), [0] * 8, time.monotonic() + seconds

    def ask(number: int) -> None:
        with httpx.Client(timeout=PATIENCE_S) as client:
            while time.monotonic() < end:
                client.post(f"{server.base}/Iris", json=_IRIS).raise_for_status()
                asked[number] += 1

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return (_cpu_s(server) - before) / sum(asked) * 1000


@contextmanager
def _peak(server: Server) -> Iterator[list[float]]:
    """The most memory meanwhile, in megabytes, once it is over."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], _memory(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _memory(server: Server) -> float:
    """Megabytes of all its processes; what several share counts once."""
    found = 0
    for pid in server.pids():
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            found += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return found / _MEGABYTE


def _cpu_s(server: Server) -> float:
    """Of all its processes, those that have ended included."""
    ticks = 0
    for pid in server.pids():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS
