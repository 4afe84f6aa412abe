"""A gateway's start and end."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from gateway.messages import (
    Acknowledged,
    GatewayConfig,
    Stop,
    Table,
    TableRejected,
    decode_from_gateway,
    encode_message,
)
from tests.gateway.running import ROOT, Gate, asynchronous, echoes, gateway, hangs, route, statuses_in


@asynchronous
async def test_a_stop_lets_requests_in_flight_finish(tmp_path: Path) -> None:
    gate = Gate()
    async with gateway(tmp_path) as running, running.client() as client:
        [worker] = await running.serve(Iris=gate)
        request = asyncio.create_task(client.post("/models/Iris", json={}))
        await worker.wait_for_requests(1)
        running.send(Stop())
        gate.opened.set()
        answer = await request
        assert answer.json() == "late"
        assert await running.process.wait() == 0
        await worker.left.wait()


@asynchronous
async def test_a_stop_ends_what_does_not_finish(tmp_path: Path) -> None:
    async with gateway(tmp_path, stop_timeout_s=0.1) as running, running.client() as client:
        [worker] = await running.serve(Iris=hangs)
        request = asyncio.create_task(client.post("/models/Iris", json={}))
        await worker.wait_for_requests(1)
        assert await running.stop() == 0
        answer = await request
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
        counted = await running.hear_counts("Iris/v1")
        assert statuses_in(counted, "Iris/v1") == {503: 1}, "as its client was answered"


@asynchronous
async def test_sigterm_is_a_stop(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        running.process.send_signal(signal.SIGTERM)
        assert await running.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@asynchronous
async def test_what_a_terminal_sends_is_for_the_daemon(tmp_path: Path, number: int) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        running.process.send_signal(number)
        assert (await client.post("/models/Iris", json=[1])).json() == [1]
        assert await running.stop() == 0


@asynchronous
async def test_a_table_that_cant_be_read_leaves_the_one_in_force_and_the_daemon_is_told(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client() as client:
        await running.serve(Iris=echoes)
        live = {**running.table.live, "Odd": route("Odd", timeout_s=math.inf)}  # which JSON has no number for
        running.send(msgspec.structs.replace(running.table, serial=77, live=live))
        kept = await running.hear(lambda message: isinstance(message, TableRejected))
        assert kept.serial == 77
        assert "timeout_s" in kept.why
        assert (await client.post("/models/Iris", json=[1])).json() == [1]
        running.send(msgspec.structs.replace(running.table, serial=78, live={"Odd": route("Odd", timeout_s=math.nan)}))
        await running.hear(lambda message: isinstance(message, TableRejected) and message.serial == 78)
        await running.serve(Other=echoes)
        assert (await client.post("/models/Other", json=[2])).json() == [2]
        assert (await client.post("/models/Iris", json=[1])).json() == [1]
        assert await running.stop() == 0


@asynchronous
async def test_a_gateway_whose_first_table_cant_be_read_waits_for_the_next(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    ours, theirs = socket.socketpair()
    with theirs, listener:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "gateway", str(listener.fileno()), str(theirs.fileno())),
            pass_fds=(listener.fileno(), theirs.fileno()),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    config = GatewayConfig(base="", daemon="", max_body=1, max_buffered=1, body_timeout_s=1)
    writer.write(encode_message(config) + b'{"type":"Table","serial":"one"}\n' + encode_message(Table(serial=2)))
    assert [decode_from_gateway(await reader.readline()) for _ in range(2)] == [
        TableRejected(serial=-1, why="Expected `int`, got `str` - at `$.serial`"),
        Acknowledged(serial=2),
    ]
    writer.close()
    assert await process.wait() == 0


@asynchronous
async def test_without_its_daemon_a_gateway_ends(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running, running.client():
        [worker] = await running.serve(Iris=hangs)
        _, writer = await running.open()
        writer.write(b"GET /models/Iris HTTP/1.1\r\nHost: x\r\n\r\n")
        await worker.wait_for_requests(1)
        running.hang_up()
        assert await running.process.wait() == 0
        writer.close()


@asynchronous
async def test_it_is_heard_of_also_when_nothing_happens(tmp_path: Path) -> None:
    async with gateway(tmp_path) as running:
        counted = await running.hear(lambda message: hasattr(message, "outstanding"))
        assert (counted.tallies, counted.outstanding) == ([], {})


@asynchronous
async def test_a_gateway_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    ours, theirs = socket.socketpair()
    fds = (listener.fileno(), theirs.fileno())
    gateway_command = [sys.executable, "-P", "-m", "gateway", *map(str, fds)]
    code = f"import subprocess; subprocess.Popen({gateway_command!r}, pass_fds={fds!r}).wait()"
    with listener, theirs:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code), pass_fds=fds, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    config = GatewayConfig(base="", daemon="", max_body=1, max_buffered=1, body_timeout_s=1)
    writer.write(encode_message(config) + encode_message(Table(serial=1)))
    assert await reader.readline() == encode_message(Acknowledged(serial=1))
    parent.kill()
    await parent.wait()
    # Its end of the channel closes, though ours stays open.
    await reader.read()
    writer.close()
