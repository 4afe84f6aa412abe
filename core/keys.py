"""Keys: what a program shows to be let in, and what it may do then.

A key is text, `pawl_<id>_<secret><checksum>`: the secret has 256 random bits, and the checksum lets a key that was
copied in part be told from one that was revoked. Pawl keeps its SHA-256 alone. The secret is not a password: with 256
random bits, nobody finds it from its digest, however fast a digest is computed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from core.events import Actor

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH = 12
_SECRET_LENGTH = 43
"""Digits that 256 bits take."""
_CHECKSUM_LENGTH = 6
_FORM = re.compile(rf"(pawl_([0-9A-Za-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{6}})")


class Scope(StrEnum):
    """What a key allows: `admin` includes `operate`, that includes `view`; `predict` stands apart."""

    ADMIN = "admin"
    OPERATE = "operate"
    VIEW = "view"
    PREDICT = "predict"

    @property
    def included(self) -> frozenset[Scope]:
        return _INCLUDED[self]


_INCLUDED = {
    Scope.ADMIN: frozenset({Scope.ADMIN, Scope.OPERATE, Scope.VIEW}),
    Scope.OPERATE: frozenset({Scope.OPERATE, Scope.VIEW}),
    Scope.VIEW: frozenset({Scope.VIEW}),
    Scope.PREDICT: frozenset({Scope.PREDICT}),
}


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What Pawl keeps of a key."""

    id: str
    digest: str
    """SHA-256 of the key's text, in hexadecimal digits."""
    name: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] | None = None
    """The only ones that it may predict with; None: all."""
    rate: float | None = None
    """Requests per second at each gateway; None: as many as come."""
    expires: datetime | None = None
    created_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    created_by: Actor | None = None

    def has_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now

    def may(self, scope: Scope) -> bool:
        return allows(self.scopes, scope)


def allows(held: Iterable[Scope], scope: Scope) -> bool:
    """Whether one of those that somebody holds includes the scope."""
    return any(scope in each.included for each in held)


def new_key_text() -> str:
    """A key that nobody has had."""
    id = "".join(secrets.choice(_DIGITS) for _ in range(_ID_LENGTH))
    body = f"pawl_{id}_{_in_digits(secrets.randbits(256), _SECRET_LENGTH)}"
    return body + _checksum(body)


def key_id(text: str) -> str | None:
    """The id in a key; None for what is not a whole key."""
    found = _FORM.fullmatch(text)
    return found[2] if found is not None and found[3] == _checksum(found[1]) else None


def digest_of(text: str) -> str:
    """By what a key is known; `text` may be any text that a client sent."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _checksum(body: str) -> str:
    return _in_digits(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _in_digits(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        found = _DIGITS[digit] + found
    return found
