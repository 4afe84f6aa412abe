from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop

from core.process.ends import end_of
from gateway.messages import GatewayConfig, Route, Started, Table
from server.gateways.channel import JsonLines
from server.gateways.gateway import ACKNOWLEDGE_S, SILENT_S, START_S, Gateway
from server.gateways.gateways import Gateways, Handlers
from tests.processes import is_alive


@dataclass
class Running:
    gateways: Gateways
    port: int
    lost: list[str] = field(default_factory=list)

    def pids(self) -> list[int]:
        return [gateway.process.pid for gateway in self.gateways.running]

    async def answers(self) -> bytes:
        """The status line that /healthz is answered with."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return line


@asynccontextmanager
async def running(tmp_path: Path, count: int = 1, failures: Sequence[OSError] = ()) -> AsyncIterator[Running]:
    """So many gateways; the first starts fail."""
    config = GatewayConfig(
        base="", daemon=str(tmp_path / "none"), max_body=1000, max_buffered=1000, body_timeout_s=5, stop_timeout_s=5
    )
    lost: list[str] = []
    to_come = list(failures)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        async def start() -> Gateway:
            if to_come:
                raise to_come.pop(0)
            return await Gateway.start(listener, config, os.environ)

        here = Gateways(count, start, config)
        here.start(
            Handlers(
                open_version=lambda start: asyncio.get_running_loop().create_future(),
                counted=lambda counted: None,
                lost=lost.append,
            )
        )
        yield Running(here, listener.getsockname()[1], lost)
        await here.stop()


def run(test: Callable[[], Awaitable[None]]) -> None:
    uvloop.run(test())  # type: ignore[arg-type]


def test_a_table_is_in_force_everywhere_when_it_has_been_handed_out(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(tmp_path, count=2) as here:
            assert (await here.answers()).startswith(b"HTTP/1.1 200")
            await here.gateways.route_by(Table(serial=7, ready=True))
            assert {gateway.acknowledged for gateway in here.gateways.running} <= {7}

    run(test)


def test_one_that_does_not_take_a_table_in_time_is_ended_and_another_takes_its_place(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(tmp_path) as here:
            await here.answers()
            (hung,) = here.pids()
            os.kill(hung, signal.SIGSTOP)
            async with asyncio.timeout(ACKNOWLEDGE_S + 3):
                await here.gateways.route_by(Table(serial=7))
            assert not is_alive(hung)
            assert (await here.answers()).startswith(b"HTTP/1.1 200")
            assert f"gateway {hung} ended (-9)" in here.lost[0]

    run(test)


def test_one_that_is_still_starting_is_given_the_time(tmp_path: Path) -> None:
    async def test() -> None:
        gateway = await _sleeping()
        try:
            now = gateway.heard
            assert not gateway.is_silent(now + SILENT_S + 1)
            assert gateway.is_silent(now + START_S + 1)
            gateway.acknowledged = 1
            assert gateway.is_silent(now + SILENT_S + 1)
        finally:
            gateway.kill()
            await end_of(gateway.process)
            gateway.close()

    run(test)


async def _sleeping(acknowledge_s: float = ACKNOWLEDGE_S) -> Gateway:
    lines = await JsonLines.open()
    lines.theirs.close()
    return Gateway(_sleeper(), lines, acknowledge_s)


def _sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])


def test_where_none_can_be_started_it_is_tried_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(tmp_path, failures=[OSError(11, "no processes left")]) as here:
            assert (await here.answers()).startswith(b"HTTP/1.1 200")
            assert "no processes left" in here.lost[0]

    run(test)


def test_one_that_closes_its_channel_and_lives_on_is_ended() -> None:
    async def test() -> None:
        gateway = await _sleeping(acknowledge_s=0.1)
        gateway.send(Started(ticket=1))
        async with asyncio.timeout(60):
            await gateway.listen(lambda gateway, message: None)
        assert not is_alive(gateway.process.pid)

    run(test)


def test_one_that_cant_read_a_table_goes_on_by_the_one_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = Route(model="Odd", version="v1", commit="0" * 40, pool="odd", timeout_s=math.inf)

    async def test() -> None:
        async with running(tmp_path, count=2) as here:
            await here.gateways.route_by(Table(serial=1, ready=True))
            await here.answers()
            pids = here.pids()
            await here.gateways.route_by(Table(serial=2, ready=True, live={"Odd": odd}))
            await here.gateways.route_by(Table(serial=3, ready=True))
            assert (await here.answers()).startswith(b"HTTP/1.1 200")
            assert sorted(here.pids()) == sorted(pids)
            assert here.lost == []

    run(test)
    assert "keeps the route table that it has" in caplog.text
