"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Postgres, needed_postgres

settings.register_profile(
    "ours",
    deadline=None,  # machines stall
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],  # one server for all examples
)
settings.load_profile("ours")

if "PYTEST_XDIST_WORKER" in os.environ:  # its servers are sent signals which `nohup` has them ignore
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LONG = ("deploy", "contract", "bench", "pawl", "trainer", "server", "loader")
"""Folders whose files take the longest: what starts last should be short, or one process works while others wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path))


def _rank(file: Path) -> int:
    folder = file.relative_to(Path(__file__).parent).parts[0]
    return _LONG.index(folder) if folder in _LONG else len(_LONG)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A database of the test's own, which several daemons may share."""
    with needed_postgres() as postgres:
        yield postgres
