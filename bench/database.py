"""`scripts/bench database`: what a request costs while the registry's database is locked, gone or full."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.against import Comparison, Turn, turn
from bench.inputs.models import MODELS, Model
from bench.load.endpoint import Endpoint
from bench.machine.screen import console
from bench.peers import pawl
from bench.prepare import prepare
from tests.disks import fill, small_disk
from tests.postgres import Postgres, find_programs, running_postgres
from tests.repos import Repo
from tests.serving import Server, serving

_WARM_UP_S = 2.0

Trouble = Callable[[], AbstractContextManager[object]]
"""The database is in trouble while the context lasts."""


@dataclass(frozen=True)
class Database:
    url: str
    trouble: Trouble


def main(
    seconds: Annotated[float, typer.Option(help="of each turn", min=1)] = 4.0,
    turns: Annotated[int, typer.Option(help="how often each takes its turn", min=1)] = 7,
) -> None:
    """Ask a model by turns while its server's database is fine and while it is not; every answer has to be good."""
    prepare()
    worse = [name for name, opened in _DATABASES.items() if _compared(name, opened, seconds, turns).is_worse]
    raise typer.Exit(bool(worse))


def _compared(
    name: str, opened: Callable[[Path], AbstractContextManager[Database]], seconds: float, turns: int
) -> Comparison:
    model = MODELS["trees"]
    taken: tuple[list[Turn], list[Turn]] = [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(opened(folder))
        repo = _committed(folder / "models", model)
        server = stack.enter_context(serving(folder / "data", repo.path, DATABASE_URL=database.url))
        asked = _ready(server, model)
        for number in range(turns):
            for is_fine in (number % 2 == 0, number % 2 == 1):
                with ExitStack() as trouble:
                    if not is_fine:
                        trouble.enter_context(database.trouble())
                    taken[is_fine].append(turn(server, asked, model, seconds))
    compared = Comparison.of(name, *taken)
    console.print(str(compared))
    return compared


def _committed(folder: Path, model: Model) -> Repo:
    repo = Repo(folder)
    for name, content in pawl.files("Model", model).items():
        repo.write(name, content)
    repo.commit()
    return repo


def _ready(server: Server, model: Model) -> Endpoint:
    asked = Endpoint(f"{server.base}/Model", pawl.WIRE)
    asked.check(model)
    turn(server, asked, model, _WARM_UP_S)
    return asked


@contextmanager
def _locked(folder: Path) -> Iterator[Database]:
    path = folder / "registry.db"
    yield Database(f"sqlite:///{path}", lambda: _lock(path))


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield  # which closing it takes back


@contextmanager
def _gone(folder: Path) -> Iterator[Database]:
    programs = find_programs()
    if programs is None:
        raise typer.BadParameter("PostgreSQL is not installed: apt-get install postgresql")
    with running_postgres(programs) as postgres:
        yield Database(postgres.url, lambda: _killed(postgres))


@contextmanager
def _killed(postgres: Postgres) -> Iterator[None]:
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def _full(folder: Path) -> Iterator[Database]:
    with small_disk(folder / "disk") as disk:
        yield Database(f"sqlite:///{disk / 'registry.db'}", lambda: _filled(disk))


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    filler = fill(disk)
    try:
        yield
    finally:
        filler.unlink()


_DATABASES = {"locked": _locked, "gone": _gone, "full": _full}
