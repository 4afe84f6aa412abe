"""What the daemon says and does once it is ready, as a part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from core.task import spawn
from loader.reconcile import Reconciler
from server.banner import Banner
from server.gateways.route_publisher import RoutePublisher
from server.registry_part import RegistryPart
from server.state import ServerState
from server.steering.ledger.ledger import DeploymentLedger


class Announcement:
    """Greets at its start; says what is served, and has events kept, once the server is ready."""

    def __init__(
        self,
        reconciler: Reconciler,
        publisher: RoutePublisher,
        banner: Banner,
        state: Callable[[], ServerState],
        registry_part: RegistryPart,
        keys_are_known: Callable[[], Awaitable[None]],
        ledger: DeploymentLedger,
    ) -> None:
        self._reconciler = reconciler
        self._publisher = publisher
        self._banner = banner
        self._state = state
        self._registry_part = registry_part
        self._keys_are_known = keys_are_known
        self._ledger = ledger
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._banner.greet(self._state().source)
        self._task = spawn(self._announce(), "announcement")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _announce(self) -> None:
        await self._reconciler.ready.wait()
        await self._keys_are_known()  # a key that is valid is never refused for being unknown yet
        await self._publisher.set_ready(True)
        self._banner.show(self._state())
        self._registry_part.begin()  # not before: importing what speaks to the database takes a third of a second
        self._ledger.begin()
