"""What large bodies leave allocated, given back to the system."""

from __future__ import annotations

import asyncio
import os

from gateway.http.bodies import BodyBudget
from worker.wire.memory import MOST_KEPT, give_back, private_memory

_CHECK_S = 5.0
"""Seconds between two checks of how much that is."""
_FEW_BYTES = 1 << 20
"""Bytes of bodies in memory. While there are more, large ones are coming, and use the memory that earlier ones left."""


async def return_memory(bodies: BodyBudget) -> None:
    """After a burst of large bodies, have the allocator return their memory to the system, for ever. By itself it keeps
    much of it, because small allocations in use lie between the free parts."""
    at_first = private_memory(os.getpid())
    while True:
        await asyncio.sleep(_CHECK_S)
        if bodies.held < _FEW_BYTES and private_memory(os.getpid()) > at_first + 2 * MOST_KEPT:
            give_back()
