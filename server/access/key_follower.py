"""When a daemon that starts asks the registry which keys are valid."""

from __future__ import annotations

import asyncio

from server.access.keyring import Keyring


class KeyFollower:
    """What is known from before a restart holds until then; where models are asked with keys, requests wait for it."""

    def __init__(self, keyring: Keyring, ready: asyncio.Event, *, is_needed: bool, is_shared: bool) -> None:
        """`ready`: set once what is served is live. `is_needed`: models are asked with keys. `is_shared`: other daemons
        may write to the registry, too."""
        self._keyring = keyring
        self._ready = ready
        self._is_needed = is_needed
        self._is_shared = is_shared

    async def run(self) -> None:
        """For ever. Where nobody may wait for it, not before what is served is live: what speaks to the database takes
        a third of a second to import."""
        if not self._is_needed and not self._is_shared and not self._keyring.known.made:
            await self._ready.wait()
        await self._keyring.follow()

    async def known(self) -> None:
        """Return once a key that is valid is refused no more for being unknown yet."""
        if self._is_needed:
            await self._keyring.settled()
