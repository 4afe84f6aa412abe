"""How requests are spread over workers, and what becomes of them when workers, tables and time end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from core.traffic.bucket import Series, Stage
from gateway.messages import Acknowledged, Counted
from tests.frames import Frame
from tests.gateway.running import (
    COMMIT,
    Gate,
    Gateway,
    Worker,
    answers,
    asynchronous,
    echoes,
    gateway,
    hangs,
    route,
)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


@asynchronous
async def test_a_request_goes_to_the_worker_with_the_fewest_outstanding(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        workers = [await running.worker(gate) for _ in range(3)]
        await running.route(live={"Iris": route("Iris")}, pools={"Iris": tuple(worker.path for worker in workers)})
        requests = [asyncio.create_task(client.post("/models/Iris", json={})) for _ in range(9)]
        for worker in workers:
            await worker.wait_for_requests(3)
        gate.opened.set()
        assert all(answer.is_success for answer in await asyncio.gather(*requests))


@asynchronous
async def test_a_full_queue_refuses_at_once(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        worker = await running.worker(gate)
        await running.route(live={"Iris": route("Iris", max_queue=2)}, pools={"Iris": (worker.path,)})
        accepted = [asyncio.create_task(client.post("/models/Iris", json={})) for _ in range(3)]
        await worker.wait_for_requests(3)
        answer = await client.post("/models/Iris", json={})
        assert (answer.status_code, code(answer)) == (503, "queue_full")
        assert int(answer.headers["retry-after"]) >= 1
        gate.opened.set()
        assert all(answer.is_success for answer in await asyncio.gather(*accepted))
        assert (await client.post("/models/Iris", json={})).is_success


@asynchronous
async def test_refusals_of_a_pool_are_counted(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        worker = await running.worker(gate)
        routes = {"Full": route("Full", max_queue=1, pool="here"), "Gone": route("Gone", pool="nowhere")}
        await running.route(live=routes, pools={"here": (worker.path,)})
        accepted = [asyncio.create_task(client.post("/models/Full", json={})) for _ in range(2)]
        await worker.wait_for_requests(2)
        for model, refusal in (("Full", "queue_full"), ("Gone", "not_live"), ("Full", "queue_full")):
            assert code(await client.post(f"/models/{model}", json={})) == refusal
        assert set((await client.post("/models/all", json={})).json()) == {"Full", "Gone"}
        gate.opened.set()
        await asyncio.gather(*accepted)
        await running.hear(lambda _: running.counted("Full/v1") == {503: 3, 200: 2})
        await running.hear(lambda _: running.counted("Gone/v1") == {503: 2})


@asynchronous
async def test_the_caller_of_a_worker_that_reads_no_more_is_told_to_come_again(tmp_path: Path) -> None:
    read_on = asyncio.Event()

    async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await read_on.wait()
        writer.transport.abort()

    path = tmp_path / "busy"
    listening = await asyncio.start_unix_server(read_nothing, path)
    async with gateway(tmp_path, max_body=1 << 28, max_buffered=1 << 31) as running, listening:
        busy = route("Busy", timeout_s=0.2)
        await running.route(live={"Busy": busy}, pools={"Busy": (str(path),)})
        body = bytes(200 * 2**20)
        async with running.client() as client:
            refusals = [await client.post("/models/Busy", content=body) for _ in range(4)]
            assert [code(answer) for answer in refusals] == ["deadline_exceeded"] * 3 + ["queue_full"]
            assert (refusals[-1].status_code, refusals[-1].headers["retry-after"]) == (503, "1")
            await running.hear(lambda _: running.counted("Busy/v1") == {504: 3, 503: 1})
        read_on.set()


@asynchronous
async def test_a_request_that_takes_too_long_is_given_up_and_cancelled(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        worker = await running.worker(hangs)
        await running.route(live={"Iris": route("Iris", timeout_s=0.1)}, pools={"Iris": (worker.path,)})
        answer = await client.post("/models/Iris", json={})
        assert (answer.status_code, code(answer)) == (504, "deadline_exceeded")
        [frame] = worker.requests
        assert frame.deadline_ns > 0
        assert await worker.cancelled.get() == frame.id
        worker.reply = echoes
        await running.route(live={"Iris": route("Iris", timeout_s=30)}, pools={"Iris": (worker.path,)})
        assert (await client.post("/models/Iris", json=[1])).json() == [1]


@asynchronous
async def test_requests_at_a_worker_that_is_lost_fail_once_and_the_next_find_its_successor(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=hangs)
        requests = [asyncio.create_task(client.post("/models/Iris", json={})) for _ in range(5)]
        await worker.wait_for_requests(5)
        await worker.close()
        for answer in await asyncio.gather(*requests):
            assert (answer.status_code, code(answer)) == (502, "worker_lost")
            assert "retry-after" in answer.headers
        assert len(worker.requests) == 5
        answer = await client.post("/models/Iris", json={})
        assert (answer.status_code, code(answer)) == (503, "not_live")

        successor = Worker(Path(worker.path), echoes)
        await successor.start()
        await successor.connected.wait()
        while (answer := await client.post("/models/Iris", json=[1])).status_code == 503:
            pass
        assert answer.json() == [1]
        await successor.close()


@asynchronous
async def test_the_other_workers_of_a_pool_go_on_when_one_is_lost(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        gate = Gate()
        workers = [await running.worker(gate), await running.worker(gate)]
        await running.route(live={"Iris": route("Iris")}, pools={"Iris": tuple(worker.path for worker in workers)})
        requests = [asyncio.create_task(client.post("/models/Iris", json={})) for _ in workers]
        for worker in workers:
            await worker.wait_for_requests(1)
        await workers[0].close()
        [lost], waiting = await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        assert lost.result().status_code == 502
        gate.opened.set()
        assert (await waiting.pop()).json() == "late"
        assert (await client.post("/models/Iris", json={})).json() == "late"


@asynchronous
async def test_a_table_is_acknowledged_once_its_workers_are_connected(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        [worker] = await running.serve(Iris=echoes)
        # The worker's own end is only told by its loop, which `route` has not waited for.
        await worker.connected.wait()
        assert Acknowledged(serial=running.table.serial) in running.heard
        # A worker that can't be reached holds up nothing.
        await running.route(pools={**running.table.pools, "Gone": (str(tmp_path / "nobody"),)})


@asynchronous
async def test_no_request_is_lost_or_answered_by_the_old_release_after_a_swap(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        stop = asyncio.Event()
        acknowledged = 0

        async def ask() -> int:
            asked = 0
            while not stop.is_set():
                at_least = acknowledged
                answer = await client.post("/models/Iris", json={})
                assert answer.status_code == 200
                assert answer.json() >= at_least
                assert answer.headers["x-pawl-version"] == f"v{answer.json()}"
                asked += 1
            return asked

        previous = await _swap(running, 0)
        clients = [asyncio.create_task(ask()) for _ in range(8)]
        for number in range(1, 15):
            current = await _swap(running, number)
            acknowledged = number
            await previous.left.wait()
            await current.wait_for_requests(3)
            previous = current
        stop.set()
        assert sum(await asyncio.gather(*clients)) >= 42


async def _swap(running: Gateway, number: int) -> Worker:
    """Replace the only pool by one that answers with `number`."""
    worker = await running.worker(answers(str(number).encode()))
    await running.route(
        live={"Iris": route("Iris", version=f"v{number}", pool=worker.path)}, pools={worker.path: (worker.path,)}
    )
    return worker


@asynchronous
async def test_a_request_is_routed_by_the_table_in_force_when_its_body_is_whole(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client():
        old = await _swap(running, 1)
        reader, writer = await running.open()
        writer.write(b"POST /models/Iris HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        await reader.readuntil(b"100 Continue\r\n\r\n")
        await _swap(running, 2)
        writer.write(b"null")
        assert b"x-pawl-version: v2" in await reader.readuntil(b"\r\n\r\n")
        assert not old.requests
        writer.close()


@asynchronous
async def test_a_pool_that_left_answers_what_it_has_and_is_hung_up_on_then(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=gate)
        request = asyncio.create_task(client.post("/models/Iris", json={}))
        await worker.wait_for_requests(1)
        await running.route(live={}, pools={})
        assert (await client.post("/models/Iris", json={})).status_code == 404
        assert not worker.left.is_set()
        gate.opened.set()
        assert (await request).json() == "late"
        await worker.left.wait()
        assert len(worker.requests) == 1


@asynchronous
async def test_a_worker_that_left_its_pool_gets_no_more_requests(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        first, second = await running.worker(echoes), await running.worker(echoes)
        await running.route(live={"Iris": route("Iris")}, pools={"Iris": (first.path, second.path)})
        await running.route(pools={"Iris": (second.path,)})
        await first.left.wait()
        for _ in range(5):
            assert (await client.post("/models/Iris", json={})).is_success
        assert (len(first.requests), len(second.requests)) == (0, 5)


@asynchronous
async def test_answers_are_counted_by_version_and_status(tmp_path: Path) -> None:
    async def by_body(frame: Frame) -> tuple[int, bytes]:
        return (200, b"{}") if frame.body else (422, b"{}")

    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=by_body)
        for body in (b"1", b"1", b"", b"1"):
            await client.post("/models/Iris", content=body)
        await client.post("/models/Unknown", json={})
        counted = await running.hear_counts("Iris/v1")
        [tallied] = counted.tallies
        assert tallied.series == Series("Iris", "v1", Stage.API, COMMIT)
        assert tallied.bucket.durations.count == tallied.bucket.requests
        assert 0 < tallied.bucket.queue.total < tallied.bucket.durations.total
        idle = {worker.path: 0}
        assert await running.hear(lambda message: isinstance(message, Counted) and message.outstanding == idle)
        await client.post("/models/Iris", content=b"1")
        await running.stop()
        await running.hear(lambda message: False)
        assert running.counted("Iris/v1") == {200: 4, 422: 1}
