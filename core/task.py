"""Tasks that run in the background and do not die quietly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

log = logging.getLogger("pawl")

T = TypeVar("T")


async def every(seconds: float, work: Callable[[], Awaitable[None]], name: str) -> None:
    """Do the work again and again, with a pause between; a failure is logged. By a clock that nobody can set."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:
            log.exception("a failure of Pawl's own: %r goes on", name)


def from_any_thread(loop: asyncio.AbstractEventLoop, do: Callable[[], None]) -> Callable[[], None]:
    """What does it on the loop's own thread, soon, whoever calls; nothing once the loop is closed."""

    def call() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(do)

    return call


def spawn(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Run `work`; should it raise, log the traceback at once, for nobody may ever ask for the result."""

    def look(task: asyncio.Task[T]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a failure of Pawl's own: %r has ended", name, exc_info=error)

    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(look)
    return task
