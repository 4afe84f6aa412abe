"""Signing in: a key, or the code of a first start, becomes a session."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable

from core.errors import PawlError
from core.events import Actor, Event, EventKind
from core.keys import Key, Scope, key_id
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from server.access.attempts import Attempts
from server.access.known_keys import KnownKeys
from server.access.one_time_code import OneTimeCode
from server.access.sessions import Sessions

log = logging.getLogger("pawl")


class SignInRefused(PawlError):
    """The key, or the code, is not valid."""


class SignInForbidden(PawlError):
    """The key is valid and lets nobody see anything."""


class TooManyAttempts(PawlError):
    """Too many failed, from there or from everywhere; `again_s`: seconds until the next may be tried."""

    def __init__(self, message: str, again_s: int) -> None:
        super().__init__(message)
        self.again_s = again_s


async def _to_nobody() -> None: ...


class SignIn:
    """A valid key always signs in: who tries wrong ones locks nobody out."""

    def __init__(
        self,
        known: KnownKeys,
        sessions: Sessions,
        event_log: EventLog,
        code: OneTimeCode | None,
        admin: Key,
        ended: Callable[[], Awaitable[None]] = _to_nobody,
    ) -> None:
        """`code`: stands for the key `admin`; None where nobody was given one. `ended` tells other daemons of sessions
        that were ended."""
        self.code = code
        self._known = known
        self._sessions = sessions
        self._event_log = event_log
        self._admin = admin
        self._tell_ended = ended
        self._attempts = Attempts()

    async def with_key(self, text: str, actor: Actor) -> tuple[Key, str]:
        """The key, and the session's cookie. `actor`: whose address it is. Raises the errors above."""
        key = self._known.find(text)
        if key is None:
            why = "it has expired or been revoked" if key_id(text) else "it is not whole: its end is a checksum"
            raise await self._failed(
                f"This key is not valid; {why}." if text.startswith("pawl_") else "This key is not valid.", actor
            )
        if not key.may(Scope.VIEW):
            await self._record(EventKind.SIGN_IN_FAILED, f"{key.name} has no scope that shows anything", actor)
            raise SignInForbidden(
                f"{key.name} has the scope {', '.join(key.scopes)}; signing in takes view, operate or admin"
            )
        return await self._begin(key, f"{key.name} signed in", actor)

    async def with_code(self, text: str, actor: Actor) -> tuple[Key, str]:
        """The same by the one-time code."""
        if self.code is None or not self.code.use(text):
            raise await self._failed("This code is not valid: it was used, or ten minutes have passed.", actor)
        return await self._begin(self._admin, "the one-time code of the first start signed in", actor)

    async def end(self, cookie: str) -> None:
        """Everywhere, if the registry is there."""
        if self._sessions.end(cookie):
            await self._tell_ended()

    async def _begin(self, key: Key, message: str, actor: Actor) -> tuple[Key, str]:
        await self._record(EventKind.SIGNED_IN, message, Actor(kind="session", name=key.name, address=actor.address))
        return key, self._sessions.begin(key)

    async def _failed(self, message: str, actor: Actor) -> PawlError:
        peer = actor.address.rpartition(",")[2].strip()  # those before it are what anybody may say
        if again_s := self._attempts.wait_s(peer):
            return TooManyAttempts("too many attempts to sign in have failed; wait, and try again", math.ceil(again_s))
        self._attempts.failed(peer)
        await self._record(EventKind.SIGN_IN_FAILED, "an attempt to sign in failed", actor)
        return SignInRefused(message)

    async def _record(self, kind: EventKind, message: str, actor: Actor) -> None:
        """Before the answer, if the registry is there: nobody is kept out because it is away."""
        event = Event(kind=kind, message=message, actor=actor)
        try:
            await self._event_log.commit(lambda _: [event])
        except RegistryUnavailable:
            self._event_log.record(event)
