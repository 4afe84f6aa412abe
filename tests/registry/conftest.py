"""Every database that the registry can be in: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.registry import Registry
from tests.postgres import Postgres, needed_postgres


@pytest.fixture(scope="session")
def running() -> Iterator[Postgres]:
    with needed_postgres() as postgres:
        yield postgres


@pytest.fixture
def postgres(running: Postgres) -> Iterator[Postgres]:
    """An empty one."""
    yield running
    running.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    return str(request.getfixturevalue("postgres").url)


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    registry = Registry(url)
    yield registry
    registry.close()
