"""The log of a run, sent on while it is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from trainer.catalogue.followed_log import FollowedLog, Overtaken

_LOOK_S = 0.2
_SILENCE_S = 45.0
"""A gateway gives up on a daemon that says nothing for 60."""
_LONGEST_S = 600.0


async def follow(
    printed: FollowedLog, is_going_on: Callable[[], bool], now: Callable[[], float] = time.monotonic
) -> AsyncIterator[bytes]:
    """All that is printed until the attempt ends.

    It ends earlier after some silence or a long time, and where more was printed than is kept: the reader asks again,
    from where it was.
    """
    began = heard = now()
    while now() - began < _LONGEST_S:
        was_going_on = is_going_on()
        try:
            piece = printed.read()
        except Overtaken:
            return
        if piece:
            heard = now()
            yield piece
        elif not was_going_on or now() - heard > _SILENCE_S:
            return
        else:
            await asyncio.sleep(_LOOK_S)
