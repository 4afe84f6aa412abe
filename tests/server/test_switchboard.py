"""The tables that the switchboard hands out."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from core.manifest import Manifest
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
