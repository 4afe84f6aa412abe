"""A start that is given up when something newer is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from loader.workers.pool import Pool


async def unless_superseded(
    start: Coroutine[Any, Any, Pool],
    name: str,
    changed: asyncio.Event,
    is_superseded: Callable[[], bool],
    after_s: float,
) -> Pool | None:
    """The started pool; None if it was superseded, and took longer than `after_s`.

    `changed` is set whenever `is_superseded` may have another answer. Raises what the start does.
    """
    task = asyncio.create_task(start, name=name)
    try:
        await asyncio.wait({task}, timeout=after_s)
        while not task.done():
            news = asyncio.create_task(changed.wait())
            await asyncio.wait({task, news}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if is_superseded():
                break
            changed.clear()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    return None if task.cancelled() else task.result()
