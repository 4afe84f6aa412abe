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
