"""The tables that the switchboard hands out."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import ReleaseFailed
from core.manifest import Manifest, Serve
from core.release import Version
from server.switchboard import Switchboard
from server.table import Table


def _live(number: int) -> Any:
    release = SimpleNamespace(manifest=Manifest())
    return SimpleNamespace(
        version=Version(number, "c" * 40), pool=SimpleNamespace(id=f"pool {number}", sockets=(), release=release)
    )


def test_however_many_names_a_version_is_asked_for_by_the_table_stays_small() -> None:
    tables: list[Table] = []

    async def hand_out(table: Table) -> None:
        tables.append(table)

    async def ask() -> None:
        switchboard, live = Switchboard(hand_out), _live(1)
        for number in range(1100):
            await switchboard.show_version("Echo", f"{number:07x}", live)

    asyncio.run(ask())
    assert len(tables[-1].versions) <= 256
    assert f"Echo/{1099:07x}" in tables[-1].versions


def test_a_version_on_the_live_pool_loses_its_route_when_that_pool_is_replaced_and_keeps_it_when_renamed() -> None:
    async def ask() -> None:
        tables: list[Table] = []

        async def hand_out(table: Table) -> None:
            tables.append(table)

        switchboard, first = Switchboard(hand_out), _live(1)
        await switchboard.show("Echo", first)
        await switchboard.show_version("Echo", "1234567", first)
        renamed = SimpleNamespace(version=Version(2, "d" * 40), pool=first.pool)
        await switchboard.show("Echo", renamed)  # type: ignore[arg-type]
        assert "Echo/1234567" in tables[-1].versions
        await switchboard.show("Echo", _live(3))
        assert tables[-1].versions == {}

    asyncio.run(ask())


def test_versions_that_are_forgotten_have_no_route_any_more_and_models_keep_theirs() -> None:
    async def ask() -> None:
        told = asyncio.Event()
        tables: list[Table] = []

        async def hand_out(table: Table) -> None:
            tables.append(table)
            told.set()

        switchboard = Switchboard(hand_out)
        await switchboard.show("Echo", _live(2))
        await switchboard.show_version("Echo", "v1", _live(1))
        told.clear()
        switchboard.forget_versions()
        await told.wait()
        assert tables[-1].versions == {}
        assert set(tables[-1].live) == {"Echo"}

    asyncio.run(ask())


def test_what_changes_at_one_time_goes_out_in_one_table() -> None:
    tables: list[Table] = []

    async def hand_out(table: Table) -> None:
        tables.append(table)

    async def test() -> None:
        switchboard = Switchboard(hand_out)
        await asyncio.gather(*(switchboard.show(f"M{number}", _live(number)) for number in range(100)))
        switchboard.refresh()
        await switchboard.hide("M0", None)

    asyncio.run(test())
    assert len(tables[0].live) == 100
    assert len(tables[1].live) == 99
    assert len(tables) == 2


def test_a_route_that_no_gateway_could_read_fails_alone() -> None:
    tables: list[Table] = []

    async def hand_out(table: Table) -> None:
        tables.append(table)

    async def test() -> None:
        switchboard, odd = Switchboard(hand_out), _live(1)
        odd.pool.release.manifest = Manifest(serve=Serve(timeout_s=math.inf))
        await switchboard.show("Good", _live(2))
        with pytest.raises(ReleaseFailed, match="no gateway could read its route"):
            await switchboard.show("Odd", odd)
        await switchboard.show("Better", _live(3))

    asyncio.run(test())
    assert set(tables[-1].live) == {"Good", "Better"}
