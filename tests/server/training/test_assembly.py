"""Two daemons with one PostgreSQL, as they are built: which trains, and what it may still write when another has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from core.settings.settings import Settings
from registry.registry import Registry
from server.training.assembly import _sharing
from server.training.shared_runs import SharedRuns
from tests.postgres import Postgres
from tests.server.training.test_shared_runs import OF_THE_HEAD, RUN, come, running
from trainer.lease import Held


@asynccontextmanager
async def daemon(url: str) -> AsyncIterator[tuple[Held, SharedRuns]]:
    registry = Registry(url)
    lease, shared = _sharing(Settings(database_url=url), registry)
    assert shared is not None
    try:
        yield lease, shared
    finally:
        registry.close()


@asynccontextmanager
async def exchanging(*all_: SharedRuns) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run(lambda: None)) for one in all_]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def written(postgres: Postgres) -> set[str]:
    registry = Registry(postgres.url)
    with registry.transaction() as transaction:
        found = {row.run for row in transaction.open_runs.all()}
    registry.close()
    return found


async def held(lease: Held) -> None:
    async with asyncio.timeout(60):
        while not await lease.is_held():  # noqa: ASYNC110  # it is the database that is waited for
            await asyncio.sleep(0.02)


def test_what_is_of_an_older_epoch_is_refused_by_the_database(postgres: Postgres) -> None:
    """Whoever was suspended for so long that another had the lease, and has it again, writes nothing of before."""

    async def test() -> None:
        async with daemon(postgres.url) as (first, old), daemon(postgres.url) as (second, other):
            await held(first)
            old.tell([running(OF_THE_HEAD)], over=())
            await first.give_back()
            await held(second)
            assert not await first.is_held()
            await second.give_back()
            await held(first)
            async with exchanging(old, other):
                await other.ask(RUN)
                await come(old.asked, old)
                assert written(postgres) == {RUN.run}
                old.tell([running(OF_THE_HEAD)], over=())
                await come(lambda: written(postgres) == {RUN.run, OF_THE_HEAD.run}, old)

    asyncio.run(test())
