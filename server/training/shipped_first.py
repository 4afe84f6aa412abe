"""Training once what is shipped with the models was taken into the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from core.errors import PawlError
from trainer.trainer import Trainer

log = logging.getLogger("pawl.trainer")

_AGAIN_S = 5.0
"""Between two tries to take what is shipped, while the store is away."""


async def train_after(take: Callable[[], object], trainer: Trainer) -> None:
    """Train for ever, but not before: what is shipped would be trained again.

    `take` blocks, and raises StoreUnavailable.
    """
    trouble = ""
    while True:
        try:
            await asyncio.to_thread(take)
            break
        except (PawlError, OSError) as error:
            if str(error) != trouble:
                log.error("%s; nothing is trained meanwhile, and it is tried again", error)
            trouble = str(error)
        await asyncio.sleep(_AGAIN_S)
    await trainer.run()
