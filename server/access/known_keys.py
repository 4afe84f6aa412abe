"""The keys that are valid, as whoever answers a request looks them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from core.keys import Key, Scope, digest_of

_UNCONFIRMED = frozenset({Scope.VIEW, Scope.PREDICT})


class KnownKeys:
    """In memory. The key that is `ADMIN_TOKEN` is always among them."""

    def __init__(self, admin: Key | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.is_confirmed = True
        """Whether the registry says the same; else they are what DATA_DIR holds, where models write too."""
        self._admin = admin
        self._now = now
        self._by_id: dict[str, Key] = {}
        self._by_digest: dict[str, Key] = {}
        self.replace([])

    def replace(self, keys: Sequence[Key]) -> None:
        """By those that people made, the newest first."""
        self._by_id = {key.id: key for key in (*keys, *([self._admin] if self._admin else []))}
        self._by_digest = {key.digest: key for key in self._by_id.values()}

    @property
    def all(self) -> list[Key]:
        """Expired ones among them."""
        return list(self._by_id.values())

    @property
    def made(self) -> list[Key]:
        """Those that people made, the newest first."""
        return [key for key in self._by_id.values() if key is not self._admin]

    def find(self, text: str) -> Key | None:
        """The valid key that somebody shows."""
        return self._valid(self._by_digest.get(digest_of(text)))

    def get(self, id: str) -> Key | None:
        """The valid key of that id."""
        return self._valid(self._by_id.get(id))

    def may(self, key: Key, scope: Scope) -> bool:
        """Whether the key has the scope, and can be trusted with it by now."""
        return key.may(scope) and (self.is_confirmed or key is self._admin or scope in _UNCONFIRMED)

    def _valid(self, key: Key | None) -> Key | None:
        return None if key is None or key.has_expired(self._now()) else key
