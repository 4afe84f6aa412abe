"""Tasks that run in the background and do not die quietly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

log = logging.getLogger(__name__)


def spawn(
    work: Coroutine[object, object, None], name: str, failed: Callable[[], None] = lambda: None
) -> asyncio.Task[None]:
    """Run `work`; should it raise, log the traceback and call `failed`."""
    task = asyncio.get_running_loop().create_task(work, name=name)

    def look(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed", name, exc_info=error)
            failed()

    task.add_done_callback(look)
    return task
