from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from registry.registry import Registry
from server.access.ended_sessions import EndedSessions
from server.access.shared_sessions import SharedSessions

PATIENCE_S = 60.0
LASTS_S = 3600.0


def test_a_session_that_ends_at_one_daemon_ends_at_the_others(tmp_path: Path) -> None:
    async def test() -> None:
        registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
        one, other = EndedSessions(None, LASTS_S), EndedSessions(None, LASTS_S)
        here, there = SharedSessions(registry, one), SharedSessions(registry, other)
        one.add("ada's")
        await here.tell()
        following = asyncio.create_task(there.run())
        await has(other, "ada's")
        one.add("bo's")
        await here.tell()
        there.hasten()
        await has(other, "bo's")
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        registry.close()

    asyncio.run(test())


def test_what_was_ended_while_the_database_was_away_is_told_once_it_is_back(tmp_path: Path) -> None:
    async def test() -> None:
        folder = tmp_path / "away"
        registry = Registry(f"sqlite:///{folder / 'registry.db'}", pause_s=0)
        one, other = EndedSessions(None, LASTS_S), EndedSessions(None, LASTS_S)
        one.add("ada's")
        await SharedSessions(registry, one).tell()
        folder.mkdir()
        for shared in (SharedSessions(registry, one), SharedSessions(registry, other)):
            await shared.tell()
        assert "ada's" in other
        registry.close()

    asyncio.run(test())


def test_those_that_have_expired_are_not_told(tmp_path: Path) -> None:
    async def test() -> None:
        registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
        ended = EndedSessions(None, 1e9)
        ended.take({"old": time.time() - 1e6})
        await SharedSessions(registry, ended).tell()
        with registry.transaction() as transaction:
            assert transaction.ended_sessions.all() == {}
        registry.close()

    asyncio.run(test())


async def has(ended: EndedSessions, session: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while session not in ended:  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.01)
