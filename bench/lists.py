"""`scripts/bench lists`: what the admin API's lists cost with many models, events, runs, deployments and keys."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import create_engine, text

from bench.machine.screen import console
from core.events import AUDIT
from core.keys import Key, Scope
from core.runs.runs import RunResult
from core.runs.states import RunState
from core.steering import Cause, Deployment
from loader.artifacts.slugs import slug
from registry.registry import Registry
from server.process.usage import cpu_seconds
from tests.repos import Repo
from tests.serving import Server, echo, serving

_MODEL = "Model-7"
_TIMES = 20
_A_DAY_S = 86_400
_DEPLOYMENTS = 1000
_KEYS = 500


def main(
    models: Annotated[int, typer.Option(help="Models that are followed; one is served, the others fail.")] = 1000,
    events: Annotated[int, typer.Option(help="Events in the registry.")] = 1_000_000,
    runs: Annotated[int, typer.Option(help="Runs in the store.")] = 10_000,
) -> None:
    """Fill a registry and a store, serve on them, and ask for every list."""
    with tempfile.TemporaryDirectory() as folder:
        repo, data = Repo(Path(folder) / "models"), Path(folder) / "data"
        _write_models(repo, models)
        with serving(data, repo.path) as server:
            server.sync()
        _fill_registry(data / "registry.db", models, events)
        _fill_store(data / "artifacts" / "runs", models, runs)
        with serving(data, repo.path) as server:
            server.sync()
            server.wait(lambda: _has_runs(server), "the list of runs")
            cursor = server.admin("GET", "/-/api/events?limit=1000").json["items"][-1]["id"]
            for path in (*_PATHS, f"events?cursor={cursor}"):
                console.print(f"{path}: {_measured(server, f'/-/api/{path}')}")
    console.print(f"load of the machine: {os.getloadavg()[0]:.1f}, of {os.cpu_count()} processors")


_SINCE = (datetime.now(UTC) - timedelta(days=100)).strftime("%Y-%m-%dT%H:%M:%SZ")
_PATHS = (
    *("models", "models?q=Model-99", "models?state=failed", f"models/{_MODEL}"),
    *(f"models/{_MODEL}/versions", f"models/{_MODEL}/deployments", f"models/{_MODEL}/deployments?at={_SINCE}"),
    *("events", "events?limit=1000", f"events?model={_MODEL}", f"events?model={_MODEL}&kind=pinned"),
    *("events?kind=pinned", "events?kind=failed", "events?actor=ada", "events?actor=key", "events?actor=git"),
    *("events?actor=nobody", f"events?since={_SINCE}", "events?model=Nobody"),
    *("runs", "runs?limit=1000", f"runs?model={_MODEL}", "runs?state=failed", "keys"),
)


def _write_models(repo: Repo, count: int) -> None:
    repo.write("Served/etls.py", echo("it"))
    for number in range(count - 1):
        repo.write(f"Model-{number}/etls.py", echo(str(number))).write(f"Model-{number}/model.yaml", "no: such key\n")
    repo.commit()


def _fill_registry(file: Path, models: int, events: int) -> None:
    registry = Registry(f"sqlite:///{file}")
    now = datetime.now(UTC)
    with registry.transaction() as transaction:
        for number in range(_DEPLOYMENTS):
            at = now - timedelta(hours=_DEPLOYMENTS - number)
            one = Deployment(model=_MODEL, release=f"{number:012x}", cause=Cause.PUSH, version="v1", began_at=at)
            transaction.deployments.begin(one)
        transaction.keys.add(*(_key(number) for number in range(_KEYS)))
    registry.close()
    engine = create_engine(f"sqlite:///{file}")
    columns = (
        'at, kind, model, version, "commit", message, detail, actor_kind, actor_name, actor_address, reason, action'
    )
    into = text(
        f"INSERT INTO events ({columns}) VALUES (:at, :kind, :model, 'v1', '', 'it happened', '', "
        ":actor_kind, :actor_name, '', '', '')"
    )
    with engine.begin() as connection:
        rows: list[dict[str, Any]] = []
        for row in _events(models, events, now):
            rows.append(row)
            if len(rows) == 50_000:
                connection.execute(into, rows)
                rows.clear()
        if rows:
            connection.execute(into, rows)
    engine.dispose()


def _events(models: int, count: int, now: datetime) -> Iterator[dict[str, Any]]:
    """The oldest first, over a year: as many of what people did as are kept, and 5,000 of what happens by itself."""
    kinds = sorted(kind.value for kind in AUDIT)
    chance = random.Random(0)
    for number in range(count):
        at = now - timedelta(seconds=(count - number) * 365 * _A_DAY_S / count)
        by_itself = number % (count // 5_000 or 1) == 0
        yield {
            "at": at.replace(tzinfo=None),
            "kind": "live" if by_itself else kinds[number % len(kinds)],
            "model": f"Model-{chance.randrange(models)}",
            "actor_kind": "git" if by_itself else "key",
            "actor_name": "" if by_itself else chance.choice(("ada", "bo", "cy")),
        }


def _key(number: int) -> Key:
    return Key(id=f"key{number}", digest=f"{number:064x}", name=f"key {number}", scopes=(Scope.VIEW,))


def _fill_store(root: Path, models: int, count: int) -> None:
    now = datetime.now(UTC)
    for number in range(count):
        model, key = f"Model-{number % models}", f"{number:012x}"
        at = now - timedelta(minutes=count - number)
        state = RunState.FAILED if number % 10 == 0 else RunState.SUCCEEDED
        result = RunResult(run=key, model=model, state=state, scores={"accuracy": 0.9}, queued_at=at, ended_at=at)
        folder = root / slug(model) / key
        folder.mkdir(parents=True)
        (folder / "result.json").write_bytes(msgspec.json.encode(result))


def _has_runs(server: Server) -> bool:
    return bool(server.admin("GET", "/-/api/runs?limit=1").json["items"])


def _measured(server: Server, path: str) -> str:
    """By the clock, and by what the daemon's processor did: on a machine that others use too, the second says more."""
    took: list[float] = []
    began = cpu_seconds(server.process.pid)
    for _ in range(_TIMES):
        asked = time.perf_counter()
        answer = server.admin("GET", path)
        took.append((time.perf_counter() - asked) * 1e3)
        assert answer.status == 200, answer
    computed = (cpu_seconds(server.process.pid) - began) / _TIMES * 1e3
    first, rest = took[0], sorted(took[1:])
    return (
        f"{computed:.0f} ms of the processor; first {first:.0f} ms, p50 {rest[len(rest) // 2]:.0f} ms, "
        f"at most {rest[-1]:.0f} ms"
    )
