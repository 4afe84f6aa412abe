"""`scripts/bench starts`: what a start of many models costs the daemon, which should be in proportion to them."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.figures import figures_file
from bench.machine.screen import console
from tests.repos import Repo
from tests.serving import ROOT, Server, echo, serving

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE_S = 3600.0
_LIVE = re.compile(r"\bv1 is live\b")


def main(
    counts: Annotated[list[int] | None, typer.Argument(help="of models that are started at once")] = None,
    code: Annotated[Path, typer.Option(help="the checkout of Pawl that is measured")] = ROOT,
) -> None:
    """CPU time of the daemon alone until so many plain models are live, and for each above the first."""
    table = Table("models", "CPU seconds", "ms a model", title="A start's work of the daemon")
    costs = {count: _measure(count, code) for count in (1, *(counts or (50, 100, 200)))}
    for count, cost in costs.items():
        each = f"{(cost - costs[1]) / (count - 1) * 1000:.1f}" if count > 1 else ""
        table.add_row(str(count), f"{cost:.2f}", each)
    console.print(table)
    console.print(
        f"written to {figures_file.write('starts', {'cpu_s': {str(count): cost for count, cost in costs.items()}})}"
    )


def _measure(count: int, code: Path) -> float:
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder, console.status(f"starting {count} models"):
        repo = Repo(Path(folder, "models"))
        for number in range(count):
            repo.write(f"M{number:04}/etls.py", echo(str(number)))
        repo.commit()
        with serving(Path(folder, "data"), repo.path, ready=False, cwd=code, code=code) as server:
            server.wait(lambda: len(_LIVE.findall(server.log)) == count, "models", _PATIENCE_S)
            return _cpu_s(server)


def _cpu_s(server: Server) -> float:
    """Of the daemon itself: what waits for its children is not counted."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
