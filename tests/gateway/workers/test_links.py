"""Which worker's connection a pool picks, in the very ticks in which connections come and go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.http.refusals import Refused
from gateway.workers.links import WorkerLinks
from tests.gateway.running import Worker, asynchronous, echoes

_TICKS = 50


async def opened(links: WorkerLinks, *workers: Worker) -> None:
    for worker in workers:
        await worker.start()
    await asyncio.gather(*links.open([worker.path for worker in workers]), *[each.connected.wait() for each in workers])


@asynchronous
async def test_a_connection_that_has_ended_is_never_picked(tmp_path: Path) -> None:
    links, gone, other = WorkerLinks(), Worker(tmp_path / "gone", echoes), Worker(tmp_path / "other", echoes)
    await opened(links, gone, other)
    await gone.close()
    for _ in range(_TICKS):
        assert not links.pick("Iris", 10).closed
        await asyncio.sleep(0)
    links.retire()
    await other.left.wait()
    await other.close()


@asynchronous
async def test_workers_that_are_alike_take_turns(tmp_path: Path) -> None:
    links = WorkerLinks()
    workers = [Worker(tmp_path / str(number), echoes) for number in range(3)]
    await opened(links, *workers)
    picked = [links.pick("Iris", 10) for _ in range(6)]
    assert len(set(picked[:3])) == len(set(picked[3:])) == 3
    busy = picked[0]
    requests = [asyncio.create_task(busy.request(b"", 1 << 62)) for _ in range(2)]
    await asyncio.sleep(0)
    assert busy.outstanding == 2
    assert busy not in {links.pick("Iris", 10) for _ in range(6)}, "the least busy come first all the same"
    await asyncio.gather(*requests)
    links.retire()
    for worker in workers:
        await worker.left.wait()
        await worker.close()


@asynchronous
async def test_without_a_connection_there_is_nothing_to_pick_at_once(tmp_path: Path) -> None:
    links, worker = WorkerLinks(), Worker(tmp_path / "worker", echoes)
    await opened(links, worker)
    connection = links.pick("Iris", 10)
    await worker.close()
    await connection.wait_closed()
    with pytest.raises(Refused, match="no worker of Iris is connected"):
        links.pick("Iris", 10)
    links.retire()


@asynchronous
async def test_nobody_waits_for_a_first_try_that_was_called_off(tmp_path: Path) -> None:
    links = WorkerLinks()
    tried = links.open([str(tmp_path / "nobody")])
    links.retire()
    await asyncio.gather(*tried)
