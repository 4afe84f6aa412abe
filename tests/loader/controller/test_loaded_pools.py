from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from loader.controller.loaded_pools import LoadedPool, LoadedPools
from loader.workers.pool import Pool
from tests.loader.pools import PLAIN, place, release_of, run, until


async def loaded(pool: Pool) -> LoadedPools:
    async def started() -> Pool:
        return pool

    start = asyncio.create_task(started())
    await start
    pools = LoadedPools()
    pools.by_release[pool.release.model, pool.release.id] = LoadedPool(start)
    return pools


def test_a_pool_whose_workers_keep_ending_is_not_taken_for_what_is_to_be_live(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    moody = f"import os\nassert not os.path.exists({str(bad)!r}), 'a bad day'\n" + PLAIN

    async def test() -> None:
        async with place(tmp_path) as here:
            release = release_of(wanted := here.write(moody))
            pool = await here.start(wanted)
            assert (await loaded(pool)).take(release) is pool
            bad.touch()
            os.kill(pool.workers[0].pid, signal.SIGKILL)
            await until(lambda: pool.crashing)
            bad.unlink()
            await until(lambda: pool.workers)
            assert (await loaded(pool)).take(release) is None

    run(test())
