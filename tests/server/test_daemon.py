from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from server.daemon import BackgroundTask, Daemon


class Step:
    """A part that tells what it does."""

    def __init__(self, name: str, done: list[str], *, at_stop: Callable[[], Awaitable[None]] | None = None) -> None:
        self.name = name
        self.done = done
        self.at_stop = at_stop

    async def start(self) -> None:
        self.done.append(f"start {self.name}")

    async def stop(self) -> None:
        self.done.append(f"stop {self.name}")
        if self.at_stop is not None:
            await self.at_stop()


class Signalling(Step):
    """One that has the daemon told to stop, once it has started."""

    async def start(self) -> None:
        await super().start()
        send_sigterm()


def send_sigterm() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def send_sighup() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def test_parts_start_in_order_and_stop_in_reverse_though_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("of ours")

    done: list[str] = []
    parts = [Step("a", done), Step("b", done, at_stop=fail), Signalling("c", done)]
    assert asyncio.run(Daemon(parts).run()) == 0
    assert done == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]
    assert "of ours" in caplog.text


def test_a_second_signal_ends_everything_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def hang() -> None:
        send_sigterm()
        await asyncio.Event().wait()

    done: list[str] = []
    daemon = Daemon([Step("a", done), Signalling("b", done, at_stop=hang)], clock=itertools.count().__next__)
    assert asyncio.run(daemon.run()) == 1
    assert done == ["start a", "start b", "stop b"]
    assert "cut off" in caplog.text


def test_a_signal_that_comes_twice_at_once_is_one() -> None:
    async def take_time() -> None:
        taken = asyncio.Event()
        send_sigterm()
        asyncio.get_running_loop().call_later(0.01, taken.set)
        await taken.wait()

    done: list[str] = []
    daemon = Daemon([Step("a", done), Signalling("b", done, at_stop=take_time)], clock=lambda: 7.0)
    assert asyncio.run(daemon.run()) == 0
    assert done == ["start a", "start b", "stop b", "stop a"]


def test_a_terminal_that_closes_while_it_stops_does_not_hurry_it() -> None:
    async def take_time() -> None:
        taken = asyncio.Event()
        send_sighup()
        asyncio.get_running_loop().call_later(0.01, taken.set)
        await taken.wait()

    done: list[str] = []
    daemon = Daemon([Step("a", done), Signalling("b", done, at_stop=take_time)], clock=itertools.count().__next__)
    assert asyncio.run(daemon.run()) == 0
    assert done == ["start a", "start b", "stop b", "stop a"]


def test_a_background_task_runs_from_its_start_to_its_stop() -> None:
    async def test() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        task = BackgroundTask("work", work)
        await task.start()
        await begun.wait()
        await task.stop()
        assert ended.is_set()

    asyncio.run(test())
