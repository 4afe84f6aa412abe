"""`scripts/bench pages`: what each page costs the daemon, with a year of traffic of many busy models behind it."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from bench.traffic import fill
from registry.registry import Registry
from server.process.usage import cpu_seconds
from tests.repos import Repo
from tests.serving import Server, echo, serving

_TIMES = 30
_MODEL = "Model-1"
_PAGES = {
    "catalogue": "/-/",
    "dashboard": f"/-/models/{_MODEL}",
    "versions": f"/-/models/{_MODEL}/versions",
    "compare": f"/-/models/{_MODEL}/compare?from=v1&to=v2",
    "runs": f"/-/models/{_MODEL}/runs",
    "try": f"/-/models/{_MODEL}/try",
    "logs": f"/-/models/{_MODEL}/logs",
    "deployments": f"/-/models/{_MODEL}/deployments",
    "configuration": f"/-/models/{_MODEL}/configuration",
    "edit": f"/-/models/{_MODEL}/edit",
    "monitoring, an hour": "/-/monitoring?range=1h",
    "monitoring, a day": "/-/monitoring?range=24h",
    "monitoring, a year": "/-/monitoring?range=1y",
    "monitoring, a year of a model": f"/-/monitoring?range=1y&model={_MODEL}",
    "events": "/-/events",
    "keys": "/-/keys",
    "upload": "/-/upload",
    "served": "/",
}


def main(
    models: Annotated[int, typer.Option(help="Models that are served.")] = 12,
    busy: Annotated[int, typer.Option(help="Models in the history.")] = 200,
) -> None:
    """Serve some models on the history of many, and ask for every page."""
    with tempfile.TemporaryDirectory() as folder:
        repo, data = Repo(Path(folder) / "models"), Path(folder) / "data"
        with serving(data, _commit(repo, models).path) as server:
            server.sync()
            repo.write(f"{_MODEL}/etls.py", echo("another")).commit()
            server.sync()
        _remember(data / "registry.db", busy)
        with serving(data, repo.path) as server:
            server.sync()
            for name, path in _PAGES.items():
                print(f"{name}: {_measured(server, path)}", flush=True)
    print(f"load of the machine: {os.getloadavg()[0]:.1f}, of {os.cpu_count()} processors")


def _commit(repo: Repo, models: int) -> Repo:
    for number in range(models):
        repo.write(f"Model-{number}/etls.py", echo(str(number)))
    repo.commit()
    return repo


def _remember(file: Path, busy: int) -> None:
    url = f"sqlite:///{file}"
    registry = Registry(url, file=file)
    fill(registry, url, busy)
    registry.close()


def _measured(server: Server, path: str) -> str:
    """By the clock, and by what the daemon's processor did: on a machine that others use too, the second says more."""
    server.admin("GET", path)
    began, took = cpu_seconds(server.process.pid), []
    for _ in range(_TIMES):
        asked = time.perf_counter()
        answer = server.admin("GET", path)
        took.append((time.perf_counter() - asked) * 1e3)
        assert answer.status == 200, answer
    computed = (cpu_seconds(server.process.pid) - began) / _TIMES * 1e3
    took.sort()
    return f"{computed:.0f} ms of the processor; p50 {took[_TIMES // 2]:.0f} ms, p95 {took[int(_TIMES * 0.95)]:.0f} ms"
