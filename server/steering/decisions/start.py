"""When a server that starts asks the registry what people decided."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from loader.reconcile import Reconciler
from server.steering.decisions.registry_follower import RegistryFollower

_PATIENCE_S = 10.0
"""For a registry that doesn't answer, while nothing at all is served."""


class Start:
    """What `live.json` kept of the decisions holds until then; a server that has none of it waits for the registry."""

    def __init__(
        self, reconciler: Reconciler, follower: RegistryFollower, *, is_shared: bool, has_registry: bool
    ) -> None:
        """`is_shared`: other daemons may have decided something while this one was down."""
        self._reconciler = reconciler
        self._follower = follower
        self._is_shared = is_shared
        self._must_wait = has_registry and not reconciler.known.heads

    async def known(self) -> None:
        if self._must_wait:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._follower.first.wait(), _PATIENCE_S)

    async def follow(self) -> None:
        """For ever. A restart need not wait for the import of what speaks to a database: a third of a second."""
        if not self._must_wait and not self._is_shared:
            await self._reconciler.ready.wait()
        await self._follower.run()
