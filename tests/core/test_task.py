from __future__ import annotations

import asyncio

import pytest

from core.task import spawn


def test_what_ends_a_task_in_the_background_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("unforeseen")

    async def test() -> None:
        await asyncio.wait([spawn(fail(), "a task that fails")])

    asyncio.run(test())
    [record] = caplog.records
    assert "a task that fails" in record.getMessage()
    assert record.exc_info is not None
    assert "unforeseen" in caplog.text


def test_a_task_that_is_cancelled_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        task = spawn(asyncio.sleep(60), "a task that is cancelled")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(test())
    assert not caplog.records
