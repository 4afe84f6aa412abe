"""Whether this daemon, of several with one database, is the one that trains."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from core.errors import PawlError

log = logging.getLogger("pawl.trainer")

NAME = "runs"
SECONDS = 12.0
"""So that another takes over a lost one within 15."""
_RENEWED_AFTER_S = 4.0


class Held(Protocol):
    """The right to train. For the loop's own thread, but for `holds`."""

    epoch: int
    """The one in which it was ours last: what is done and written by the lease names it."""

    async def is_held(self) -> bool:
        """Whether it is ours now. It is taken or renewed where that is due: whoever holds it asks every few seconds."""
        ...

    def holds(self, epoch: int) -> bool:
        """Whether it has been ours since that epoch began, as far as we know. For any thread."""
        ...

    async def give_back(self) -> None: ...


class Lease:
    """A `Held`. While the database is away, held no longer than was promised."""

    def __init__(
        self,
        take: Callable[[float], Awaitable[int]],
        give_back: Callable[[], Awaitable[None]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`take(seconds)`: take or renew it; its epoch, or 0: it is another's. Both raise PawlError."""
        self.epoch = 0
        self._take = take
        self._give_back = give_back
        self._now = now
        self._until = 0.0
        self._asked_at = -_RENEWED_AFTER_S
        self._is_asking = False

    async def is_held(self) -> bool:
        now = self._now()
        if not self._is_asking and now >= self._asked_at + (_RENEWED_AFTER_S if now < self._until else 1.0):
            self._asked_at, self._is_asking = now, True
            try:
                epoch = await self._take(SECONDS)
                self._until = now + SECONDS if epoch else 0.0
                self.epoch = epoch or self.epoch
            except PawlError as error:
                log.warning("whether this daemon is to train can't be asked: %s", error)
            finally:
                self._is_asking = False
        return self._now() < self._until

    def holds(self, epoch: int) -> bool:
        return self.epoch == epoch and self._now() < self._until

    async def give_back(self) -> None:
        """So that another needn't wait for its end."""
        is_ours, self._until = self._now() < self._until, 0.0
        if is_ours:
            try:
                await self._give_back()
            except PawlError as error:
                log.warning("another trains once the lease has ended, for it can't be given back: %s", error)


class Never:
    """This daemon trains nothing."""

    epoch = 0

    async def is_held(self) -> bool:
        return False

    def holds(self, epoch: int) -> bool:
        return False

    async def give_back(self) -> None:
        """There is none."""


class Alone:
    """Nobody else trains."""

    epoch = 1

    async def is_held(self) -> bool:
        return True

    def holds(self, epoch: int) -> bool:
        return True

    async def give_back(self) -> None:
        """To nobody."""
