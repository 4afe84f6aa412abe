"""Who asks, once that is known."""

from __future__ import annotations

import msgspec

from core.keys import Key, Scope, allows


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever a credential shows."""

    kind: str
    """`key` or `session`; empty: nobody showed anything, and this machine's own programs may read."""
    name: str
    """The key's."""
    scopes: tuple[Scope, ...]

    def may(self, scope: Scope) -> bool:
        return allows(self.scopes, scope)


LOCAL = Principal(kind="", name="", scopes=(Scope.VIEW,))
"""A program of this machine, where those may read."""


def principal_of(key: Key, *, is_session: bool = False) -> Principal:
    """Who shows the key, or a session that began with it."""
    return Principal(kind="session" if is_session else "key", name=key.name, scopes=key.scopes)
