from __future__ import annotations

import asyncio
import time

import pytest

from core.task import every, spawn


def test_what_ends_a_task_in_the_background_is_logged_at_once_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise RuntimeError("unforeseen")

    async def test() -> None:
        task = spawn(fail(), "a task that fails")
        await asyncio.wait([task])
        [record] = caplog.records  # while somebody holds the task: asyncio logs it only once nobody does
        assert "a task that fails" in record.getMessage()
        assert record.exc_info is not None
        assert "unforeseen" in caplog.text

    asyncio.run(test())


def test_a_task_that_is_cancelled_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        task = spawn(asyncio.sleep(60), "a task that is cancelled")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(test())
    assert not caplog.records


def test_what_is_done_again_and_again_goes_on_after_a_failure_whatever_the_wall_clock_says(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 0

    async def test() -> None:
        over = asyncio.Event()

        async def work() -> None:
            nonlocal times
            times += 1
            monkeypatch.setattr(time, "time", lambda: 0.0)  # somebody sets it back
            if times == 1:
                raise RuntimeError("a surprise")
            if times == 3:
                over.set()

        timer = asyncio.create_task(every(0.01, work, "work"))
        async with asyncio.timeout(60):
            await over.wait()
        timer.cancel()

    asyncio.run(test())
    assert "a surprise" in caplog.text
