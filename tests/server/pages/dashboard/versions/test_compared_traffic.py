"""Traffic of two versions beside each other."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram
from registry.registry import Registry
from server.pages.dashboard.versions.compared_traffic import Row, compared_traffic
from server.traffic.history.history import TrafficHistory
from server.traffic.history.leftover import Leftover
from server.traffic.history.writer import TrafficWriter

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
AT_5_MS = Histogram({DURATION_BOUNDS_NS.index(5_000_000): 4}, 20_000_000)


def compared(folder: Path, asked: datetime = NOON - timedelta(days=1)) -> tuple[Row, ...]:
    """What the page shows at noon of v1, which nobody asked, and of v2, asked then; the registry is in `folder`."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}", pause_s=0.01)
    writer = TrafficWriter(registry, Leftover(folder / "traffic.waiting"), asked.timestamp)
    writer.take(Series("Iris", "v2"), Bucket({200: 3, 500: 1}, AT_5_MS))
    history = TrafficHistory(registry, writer, NOON.timestamp)
    return asyncio.run(compared_traffic(history, "Iris", "v1", "v2", NOON))


def test_each_version_has_its_own_figures(tmp_path: Path) -> None:
    requests, errors, *_ = compared(tmp_path)
    assert requests == ("requests", "0", "4")
    assert errors[2] == "25 %"


def test_a_registry_that_is_away_costs_a_comparison_nothing_but_the_traffic(tmp_path: Path) -> None:
    assert compared(tmp_path / "away") == ()


@pytest.mark.parametrize(("hours", "requests"), [(0, "4"), (7 * 24 + 11, "4"), (7 * 24 + 13, "0")])
def test_seven_days_are_compared_from_where_the_first_begins(tmp_path: Path, hours: int, requests: str) -> None:
    assert compared(tmp_path, NOON - timedelta(hours=hours))[0] == ("requests", "0", requests)
