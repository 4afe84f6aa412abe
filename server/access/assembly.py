"""Builds what decides who may do what, and holds no logic."""

from __future__ import annotations

from dataclasses import dataclass

from core.settings.settings import Settings
from registry.event_log import EventLog
from registry.registry import Registry
from server.access.admin_token import AdminToken
from server.access.keyring import HandOut, Keyring
from server.access.known_keys import KnownKeys
from server.access.one_time_code import OneTimeCode
from server.access.sessions import Sessions, signing_key
from server.access.shared_sessions import SharedSessions
from server.access.sign_in import SignIn


@dataclass(frozen=True)
class AccessParts:
    known: KnownKeys
    keyring: Keyring
    sessions: Sessions
    sign_in: SignIn
    shared: SharedSessions | None
    """None: nobody else takes them."""
    needs_keys: bool
    """Whether models are asked with a key."""


def build_access(settings: Settings, event_log: EventLog, registry: Registry, hand_out: HandOut) -> AccessParts:
    """`hand_out`: has every gateway know these keys. Raises PawlError where DATA_DIR can't be used."""
    token = AdminToken.of(settings.admin_token, settings.data)
    known = KnownKeys(token.key)
    is_shared = bool(settings.database_url)
    keyring = Keyring(known, settings.data / "keys.json", event_log, registry, hand_out, is_shared=is_shared)
    ended = settings.data / "ended_sessions.json"
    sessions = Sessions(signing_key(settings.admin_token, settings.data), known.get, ended)
    code = OneTimeCode() if token.is_new else None
    shared = SharedSessions(registry, sessions.ended) if is_shared else None
    told = {} if shared is None else {"ended": shared.tell}
    sign_in = SignIn(known, sessions, event_log, code, token.key, **told)
    return AccessParts(known, keyring, sessions, sign_in, shared, needs_keys=settings.auth == "keys")
