"""`scripts/bench start`: what the start of a worker consists of."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from bench import processes, record
from bench.models import MODELS
from bench.peers.pawl import ETLS
from bench.screen import console
from core.settings import scrubbed
from loader.workers.blank import BOOT, Begin, Blank, begin, environment
from loader.workers.process import Launch, WorkerProcess
from worker.protocol import WorkerConfig

_PLAIN = """
class Plain:
    def transform_predict(self, variables):
        return {"ok": True}
"""
_LOAD_OURS = f"import runpy; runpy.run_path({str(BOOT)!r})['_load_package'](); import _pawl.main"
_START_TIMEOUT_S = 60.0
_WAITED_S = 0.3


@dataclass(frozen=True)
class Cost:
    """Of one start, the median of several."""

    what: str
    wall_ms: float
    cpu_ms: float
    memory_mb: float | None = None
    """Private memory once ready: what two workers share doesn't count."""


def main(starts: Annotated[int, typer.Option(help="timed of each kind")] = 20) -> None:
    """Time a worker's start and its parts: wall time, CPU time, memory."""
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder:
        programs = [_median(what, partial(_time_program, each), starts) for what, each in _PROGRAMS.items()]
        workers = [
            _median(f"{what}{how}", partial(_time_worker, each, source), starts)
            for what, each in _configs(Path(folder)).items()
            for how, source in _SOURCES.items()
        ]
    _print(programs, workers)
    kept = {"programs": list(map(asdict, programs)), "workers": list(map(asdict, workers))}
    console.print(f"written to {record.write('start', {'starts': starts, **kept})}")


_PYTHON = (sys.executable, "-P", "-s", "-c")
_PROGRAMS: Mapping[str, Sequence[str]] = {
    "a process": ("/bin/true",),
    "… of Python, without site": (sys.executable, "-I", "-S", "-c", ""),
    "… with site-packages and their .pth": (*_PYTHON, ""),
    "… with msgspec": (*_PYTHON, "import msgspec"),
    "… with what a worker imports": (*_PYTHON, _LOAD_OURS),
    "… and numpy": (*_PYTHON, f"{_LOAD_OURS}; import numpy"),
    "… and onnxruntime": (*_PYTHON, f"{_LOAD_OURS}; import numpy, onnxruntime"),
}
"""Each does what the one before does, and something besides."""


def _configs(folder: Path) -> Mapping[str, WorkerConfig]:
    trees = MODELS["trees"].path.read_bytes()
    return {
        "a plain class": _config(folder / "plain", {"etls.py": _PLAIN}),
        "a class that gets an ONNX session, never merged": _config(
            folder / "apart", {"etls.py": ETLS, "model.onnx": trees}, max_batch=1
        ),
        "a class that gets an ONNX session, probed for merging": _config(
            folder / "merged", {"etls.py": ETLS, "model.onnx": trees}
        ),
    }


def _config(root: Path, files: Mapping[str, str | bytes], max_batch: int = 64) -> WorkerConfig:
    folder = root / "Model"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return WorkerConfig(
        model="Model",
        folder=f"{folder}/",
        root=str(root),
        socket=str(root / "socket"),
        max_body=1 << 20,
        max_batch=max_batch,
    )


def _median(what: str, start: Callable[[], Cost], starts: int) -> Cost:
    costs = [start() for _ in track(range(starts + 1), what, console=console, transient=True)][1:]  # the first warms up
    weighed = [cost.memory_mb for cost in costs if cost.memory_mb is not None]
    return Cost(
        what,
        statistics.median(cost.wall_ms for cost in costs),
        statistics.median(cost.cpu_ms for cost in costs),
        statistics.median(weighed) if weighed else None,
    )


def _time_program(command: Sequence[str]) -> Cost:
    cpu, began = processes.children_cpu_s(), time.perf_counter()
    subprocess.run(command, env=_environ(), check=True)
    return Cost("", (time.perf_counter() - began) * 1000, (processes.children_cpu_s() - cpu) * 1000)


async def _waiting() -> Begin:
    """Gives a process that has waited."""
    blank = await begin(Path(sys.executable), scrubbed(os.environ))
    await asyncio.sleep(_WAITED_S)

    async def give(python: Path, environ: Mapping[str, str]) -> Blank:
        return blank

    return give


async def _fresh() -> Begin:
    return begin


_SOURCES: Mapping[str, Callable[[], Awaitable[Begin]]] = {"": _fresh, ", started ahead": _waiting}


def _time_worker(config: WorkerConfig, source: Callable[[], Awaitable[Begin]]) -> Cost:
    """Until it is ready, as the daemon starts it."""
    return asyncio.run(_start_and_end(config, source))


async def _start_and_end(config: WorkerConfig, source: Callable[[], Awaitable[Begin]]) -> Cost:
    cpu = processes.children_cpu_s()
    launch = Launch(Path(sys.executable), config, scrubbed(os.environ), _START_TIMEOUT_S, await source())
    process, began = WorkerProcess(launch, lambda raised: None), time.perf_counter()
    await process.start()
    wall_s, memory_mb = time.perf_counter() - began, process.memory() / 2**20
    await process.kill("was measured")
    return Cost("", wall_s * 1000, (processes.children_cpu_s() - cpu) * 1000, memory_mb)


def _environ() -> dict[str, str]:
    return environment(scrubbed(os.environ))


def _print(*groups: Sequence[Cost]) -> None:
    table = Table("", "wall ms", "CPU ms", "private MB")
    for column in table.columns[1:]:
        column.justify = "right"
    for group in groups:
        for cost in group:
            memory = "" if cost.memory_mb is None else f"{cost.memory_mb:.1f}"
            table.add_row(cost.what, f"{cost.wall_ms:.0f}", f"{cost.cpu_ms:.0f}", memory)
        table.add_section()
    console.print(table)
