"""Makes keys and revokes them: in the registry for good, and in DATA_DIR for when that is away."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.errors import PawlError
from core.events import Actor, Event, EventKind
from core.keys import Key
from core.pause import Pause
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from registry.registry import Registry
from server.access.known_keys import KnownKeys
from server.access.private_file import read_private, write_private

if TYPE_CHECKING:
    from registry.transaction import Transaction

log = logging.getLogger("pawl")

MOST = 1000
"""Valid keys; each route table carries all of them."""
_ID = re.compile("[0-9A-Za-z]{1,40}")
_LOOK_S = 5.0
"""Between two looks at a database that other daemons write to as well."""

HandOut = Callable[[Sequence[Key]], Awaitable[None]]


class KeyNotFound(PawlError):
    """No valid key has this id."""


class TooManyKeys(PawlError):
    """There are as many keys as there may be."""


class Keyring:
    """For the thread of one event loop."""

    def __init__(
        self,
        known: KnownKeys,
        path: Path,
        event_log: EventLog,
        registry: Registry,
        hand_out: HandOut,
        *,
        is_shared: bool,
    ) -> None:
        """`path`: the copy in DATA_DIR. `hand_out`: returns once every gateway knows these. `is_shared`: whether other
        daemons may write to the registry, too."""
        self.known = known
        self._path = path
        self._event_log = event_log
        self._registry = registry
        self._hand_out = hand_out
        self._is_shared = is_shared
        self._changing = asyncio.Lock()
        self._settled = asyncio.Event()
        self._pause = Pause()
        self._restore()

    async def create(self, key: Key, by: Actor) -> None:
        """Make it valid: once this returns, everywhere. Raises RegistryUnavailable, TooManyKeys."""
        if len(self.known.made) >= MOST:
            raise TooManyKeys(f"there are {MOST:,} keys, as many as there may be; revoke one first")

        def act(transaction: Transaction) -> Sequence[Event]:
            transaction.keys.add(key)
            return [Event(kind=EventKind.KEY_CREATED, message=_created(key), actor=by)]

        async with self._changing:
            await self._event_log.commit(act)
            await self._replace([key, *self.known.made])

    async def revoke(self, id: str, by: Actor, reason: str = "") -> None:
        """Make it invalid: once this returns, everywhere. Raises RegistryUnavailable, KeyNotFound."""
        if not _ID.fullmatch(id):  # which a database may not even take
            raise _not_found(id)

        def act(transaction: Transaction) -> Sequence[Event]:
            revoked = transaction.keys.revoke(id, datetime.now(UTC))
            if revoked is None:
                raise _not_found(id)
            message = f"the key {revoked.name} ({id}) was revoked"
            return [Event(kind=EventKind.KEY_REVOKED, message=message, actor=by, reason=reason)]

        async with self._changing:
            await self._event_log.commit(act)
            await self._replace([key for key in self.known.made if key.id != id])

    async def settled(self) -> None:
        """Return once it is known which keys are valid, or the registry could not be asked."""
        await self._settled.wait()

    def hasten(self) -> None:
        """Look soon: somebody may have changed them elsewhere."""
        self._pause.hasten()

    async def follow(self) -> None:
        """Keep to what the registry says, as long as that may differ."""
        await self._hand_out(self.known.all)
        while not self.known.is_confirmed or self._is_shared:
            try:
                await self._look()
                pause_s = _LOOK_S
            except RegistryUnavailable:  # as the event log has said
                pause_s = self._registry.pause_s
            except Exception:
                log.exception("a failure of Pawl's own, in reading the keys; those that are known stay valid")
                pause_s = _LOOK_S
            self._settled.set()
            if self._is_shared or not self.known.is_confirmed:
                await self._pause.wait(pause_s)

    async def _look(self) -> None:
        async with self._changing:
            ours = self.known.made
            found = await self._registry.perform(lambda transaction: self._read_from(transaction, ours))
            self.known.is_confirmed = True
            if found != ours:
                await self._replace(found)

    def _read_from(self, transaction: Transaction, ours: Sequence[Key]) -> list[Key]:
        """A file that was damaged and begun anew has lost the keys that are known here. Another database is believed:
        who writes to DATA_DIR must not make keys in it."""
        if not self._is_shared and (lost := transaction.keys.unknown([key.id for key in ours])):
            transaction.keys.add(*(key for key in ours if key.id in lost))
        return transaction.keys.valid()

    async def _replace(self, keys: Sequence[Key]) -> None:
        self.known.replace(keys)
        try:
            write_private(self._path, msgspec.json.encode(keys))
        except OSError as error:
            log.error("%s can't be written; it is out of date for a start without the registry: %s", self._path, error)
        await self._hand_out(self.known.all)

    def _restore(self) -> None:
        self.known.is_confirmed = False
        try:
            content = read_private(self._path)
            if content is not None:
                self.known.replace(msgspec.json.decode(content, type=list[Key]))
                self._settled.set()
        except (OSError, msgspec.MsgspecError) as error:
            log.error("%s can't be read, so no key is known before the registry is reached: %s", self._path, error)


def _not_found(id: str) -> KeyNotFound:
    return KeyNotFound(f"no valid key has the id {id[:40]!r}")


def _created(key: Key) -> str:
    what = f"the key {key.name} ({key.id}) was made, with {', '.join(key.scopes)}"
    return what + (f" for {', '.join(key.models)}" if key.models is not None else "")
