"""Waiting for a store that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from core.errors import StoreUnavailable

T = TypeVar("T")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 5.0


async def retry_while_away(work: Callable[[], T], told: Callable[[str], None]) -> T:
    """Do the work in a thread, again and again while the store is away; `told` gets the reason each time."""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await asyncio.to_thread(work)
        except StoreUnavailable as error:
            told(str(error))
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
