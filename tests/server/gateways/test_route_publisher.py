"""The route tables that the publisher hands out."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest, Serve
from core.release import Version
from gateway.messages import Table
from server.gateways.route_publisher import RoutePublisher


def _live(number: int) -> Any:
    release = SimpleNamespace(manifest=Manifest())
    return SimpleNamespace(
        version=Version(number, "c" * 40),
        run=None,
        pool=SimpleNamespace(
            id=f"pool {number}", sockets=(), release=release, description=SimpleNamespace(takes="dict")
        ),
    )


def test_however_many_names_a_version_is_asked_for_by_the_table_stays_small() -> None:
    tables: list[Table] = []

    async def hand_out(table: Table) -> None:
        tables.append(table)

    async def ask() -> None:
        publisher, live = RoutePublisher(hand_out), _live(1)
        for number in range(1100):
            await publisher.show_version("Echo", f"{number:07x}", live)

    asyncio.run(ask())
    assert len(tables[-1].versions) <= 256
    assert f"Echo/{1099:07x}" in tables[-1].versions


def test_a_version_on_the_live_pool_loses_its_route_when_that_pool_is_replaced_and_keeps_it_when_renamed() -> None:
    async def ask() -> None:
        tables: list[Table] = []

        async def hand_out(table: Table) -> None:
            tables.append(table)

        publisher, first = RoutePublisher(hand_out), _live(1)
        await publisher.show("Echo", first)
        await publisher.show_version("Echo", "1234567", first)
        renamed = SimpleNamespace(version=Version(2, "d" * 40), run=None, pool=first.pool)
        await publisher.show("Echo", renamed)  # type: ignore[arg-type]
        assert "Echo/1234567" in tables[-1].versions
        await publisher.show("Echo", _live(3))
        assert tables[-1].versions == {}

    asyncio.run(ask())


def test_versions_that_are_forgotten_have_no_route_any_more_and_models_keep_theirs() -> None:
    async def ask() -> None:
        told = asyncio.Event()
        tables: list[Table] = []

        async def hand_out(table: Table) -> None:
            tables.append(table)
            told.set()

        publisher = RoutePublisher(hand_out)
        await publisher.show("Echo", _live(2))
        await publisher.show_version("Echo", "v1", _live(1))
        told.clear()
        publisher.forget_versions()
        await told.wait()
        assert tables[-1].versions == {}
        assert set(tables[-1].live) == {"Echo"}

    asyncio.run(ask())


def test_what_changes_at_one_time_goes_out_in_one_table() -> None:
    tables: list[Table] = []

    async def hand_out(table: Table) -> None:
        tables.append(table)

    async def test() -> None:
        publisher = RoutePublisher(hand_out)
        await asyncio.gather(*(publisher.show(f"M{number}", _live(number)) for number in range(100)))
        publisher.refresh()
        await publisher.hide("M0", None)

    asyncio.run(test())
    assert len(tables[0].live) == 100
    assert len(tables[1].live) == 99
    assert len(tables) == 2


def test_a_route_that_no_gateway_could_read_fails_alone() -> None:
    tables: list[Table] = []

    async def hand_out(table: Table) -> None:
        tables.append(table)

    async def test() -> None:
        publisher, odd = RoutePublisher(hand_out), _live(1)
        odd.pool.release.manifest = Manifest(serve=Serve(timeout_s=math.inf))
        await publisher.show("Good", _live(2))
        with pytest.raises(ReleaseFailed, match="no gateway could read its route"):
            await publisher.show("Odd", odd)
        await publisher.show("Better", _live(3))

    asyncio.run(test())
    assert set(tables[-1].live) == {"Good", "Better"}


def test_a_model_that_waits_for_its_first_artifact_is_down_and_says_so_until_it_is_shown() -> None:
    async def ask() -> None:
        tables: list[Table] = []

        async def hand_out(table: Table) -> None:
            tables.append(table)

        publisher = RoutePublisher(hand_out)
        await publisher.hide("Echo", "it has never been trained", run="running")
        assert (tables[-1].down, tables[-1].untrained) == (
            {"Echo": "it has never been trained"},
            {"Echo": "running"},
        )
        await publisher.hide("Echo", "it is being loaded")
        assert (tables[-1].down, tables[-1].untrained) == ({"Echo": "it is being loaded"}, {})
        await publisher.hide("Echo", "it has never been trained", run="running")
        await publisher.show("Echo", _live(1))
        assert (tables[-1].down, tables[-1].untrained) == ({}, {})

    asyncio.run(ask())
