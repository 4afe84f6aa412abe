"""Who asks, once that is known."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Scope(StrEnum):
    """What a key allows: `admin` includes `operate`, that includes `view`; `predict` stands apart."""

    ADMIN = "admin"
    OPERATE = "operate"
    VIEW = "view"
    PREDICT = "predict"


_INCLUDED = {
    Scope.ADMIN: frozenset({Scope.ADMIN, Scope.OPERATE, Scope.VIEW}),
    Scope.OPERATE: frozenset({Scope.OPERATE, Scope.VIEW}),
    Scope.VIEW: frozenset({Scope.VIEW}),
    Scope.PREDICT: frozenset({Scope.PREDICT}),
}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever a credential shows."""

    kind: str
    """`key` or `session`; empty: nobody showed anything, and this machine's own programs may read."""
    name: str
    """The key's."""
    scopes: tuple[Scope, ...]

    def may(self, scope: Scope) -> bool:
        return any(scope in _INCLUDED[held] for held in self.scopes)


LOCAL = Principal(kind="", name="", scopes=(Scope.VIEW,))
"""A program of this machine, where those may read."""
