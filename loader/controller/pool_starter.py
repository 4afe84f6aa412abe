"""What starts pools for the controllers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from core.release import Release
from loader.workers.pool import Pool
from loader.workers.report import Report


class PoolStarter(Protocol):
    """Starts a tested pool of a release; see `Starter.start`."""

    def __call__(
        self,
        release: Release,
        *,
        version: str,
        make_room: Callable[[], Awaitable[int]],
        progress: Callable[[str], None],
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> Awaitable[Pool]: ...
