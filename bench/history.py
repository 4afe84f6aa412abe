"""`scripts/bench history`: what a long history costs: the first look, the next ones, and old versions by name."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.figures import figures_file
from bench.inputs.deep import write_deep
from bench.machine import processes
from bench.machine.screen import console
from core.errors import VersionNotFound
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource


@dataclass(frozen=True)
class Cost:
    what: str
    wall_s: float
    cpu_s: float
    """Of this process and of the gits that it started and that have ended."""
    memory_mb: float
    """Most that this process took besides what it had before."""


def main(
    commits: Annotated[int, typer.Option(help="in the history")] = 100_000,
    folders: Annotated[int, typer.Option(help="of models, of which each commit changes one")] = 500,
) -> None:
    """Time looks at a repository with a long history, and versions asked for by name."""
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder, console.status("writing the history"):
        repository = Path(folder, "models.git")
        write_deep(repository, commits, folders)
        costs = _measure(repository, Path(folder, "data"))
    table = Table("what", "seconds", "CPU seconds", "MB more", title=f"{commits:,} commits, {folders:,} folders")
    for cost in costs:
        table.add_row(cost.what, f"{cost.wall_s:.2f}", f"{cost.cpu_s:.2f}", f"{cost.memory_mb:.0f}")
    console.print(table)
    kept = {"commits": commits, "folders": folders, "costs": list(map(asdict, costs))}
    console.print(f"written to {figures_file.write('history', kept)}")


def _measure(repository: Path, data: Path) -> list[Cost]:
    model = "M00000"
    source = GitSource(Remote(str(repository)), data)
    costs = [_time("the first look, with the fetch of all", source.look)]
    source.close()
    (data / "history").rename(data / "kept")
    source = GitSource(Remote(str(repository)), data)
    costs.append(_time("the first look after a start, with nothing kept", source.look))
    source.close()
    source = GitSource(Remote(str(repository)), data)
    costs.append(_time("the first look after a start", source.look))
    highest = source.look().models[model].version.number
    costs.append(_time("a version that can't be", partial(_resolve, source, model, "v999999")))
    costs.append(_time("an old version", partial(_resolve, source, model, f"v{highest // 2}")))
    costs.append(_time("another old version", partial(_resolve, source, model, f"v{highest // 3}")))
    _push(repository)
    costs.append(_time("a look after a push", source.look))
    costs.append(_time("an old version after it", partial(_resolve, source, model, f"v{highest // 2}")))
    _rewrite(repository)
    costs.append(_time("a look after a forced push", source.look))
    source.close()
    return costs


def _resolve(source: GitSource, model: str, name: str) -> None:
    with suppress(VersionNotFound):
        source.resolve(model, name)


def _push(repository: Path) -> None:
    change = "class Model: edition = 'pushed'\n"
    _import(repository, f"from refs/heads/main^0\nM 100644 inline M00000/etls.py\ndata {len(change)}\n{change}")


def _rewrite(repository: Path) -> None:
    change = "class Model: edition = 'instead'\n"
    _import(repository, f"from refs/heads/main~5\nM 100644 inline M00000/etls.py\ndata {len(change)}\n{change}")


def _import(repository: Path, change: str) -> None:
    who = "committer Ada <ada@example.org> 1800000000 +0000\ndata 0\n"
    lines = f"commit refs/heads/main\n{who}{change}\n".encode()
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=repository, input=lines, check=True)


def _time(what: str, do: Callable[[], object]) -> Cost:
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is this moment's from here on
    cpu, wall = time.process_time() + processes.children_cpu_s(), time.perf_counter()
    do()
    wall, cpu = time.perf_counter() - wall, time.process_time() + processes.children_cpu_s() - cpu
    return Cost(what, wall, cpu, _memory("VmHWM") - before)


def _memory(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))
