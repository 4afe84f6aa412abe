"""Sessions of browsers: a signed cookie that names the key with which somebody signed in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.errors import PawlError
from core.keys import Key
from server.access.ended_sessions import EndedSessions
from server.access.private_file import read_private, write_private

COOKIE = "pawl_session"
LASTS_S = 12 * 3600
_KEY_BYTES = 32


class Sessions:
    """Nothing is kept of a session but that somebody ended it: it holds as long as its signature and its key do."""

    def __init__(self, signing_key: bytes, find: Callable[[str], Key | None], ended: Path | None = None) -> None:
        """`find`: a valid key by its id. `ended`: the file of sessions that were ended; None: memory alone."""
        self._signing_key = signing_key
        self._signer = URLSafeTimedSerializer(
            signing_key, salt="pawl_session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._find = find
        self.ended = EndedSessions(ended, LASTS_S)

    def begin(self, key: Key) -> str:
        """The cookie's value."""
        return str(self._signer.dumps([key.id, self._mark(key), secrets.token_urlsafe(12)]))

    def key_of(self, cookie: str) -> Key | None:
        """The key that the session began with; None where it is over, or never was one."""
        found = self._read(cookie)
        if found is None or found[2] in self.ended:
            return None
        key = self._find(found[0])
        return key if key is not None and hmac.compare_digest(self._mark(key), found[1]) else None

    def end(self, cookie: str) -> bool:
        """Whoever kept the cookie can't use it any more; whether it was a session's."""
        found = self._read(cookie)
        if found is not None:
            self.ended.add(found[2])
        return found is not None

    def _read(self, cookie: str) -> tuple[str, str, str] | None:
        try:
            id, mark, session = self._signer.loads(cookie, max_age=LASTS_S)
        except (BadSignature, ValueError, TypeError):
            return None
        return str(id), str(mark), str(session)

    def _mark(self, key: Key) -> str:
        """Another key of the same id has another: a changed ADMIN_TOKEN ends the sessions of the one before."""
        return hmac.new(self._signing_key, key.digest.encode(), hashlib.sha256).hexdigest()[:32]


def signing_key(admin_token: str, data: Path) -> bytes:
    """From the ADMIN_TOKEN, which replicas share, so that any of them knows the others' sessions; without the setting,
    what DATA_DIR holds. Raises PawlError.

    Deriving it takes as long as is tolerable: whoever has a session's cookie could try out tokens with it.
    """
    if admin_token:
        return hashlib.scrypt(admin_token.encode(), salt=b"pawl_session", n=2**14, r=8, p=1, dklen=_KEY_BYTES)
    path = data / "session.key"
    try:
        held = read_private(path)
        if held is None or len(held) != _KEY_BYTES:
            held = secrets.token_bytes(_KEY_BYTES)
            write_private(path, held)
    except OSError as error:
        raise PawlError(f"{path} can't be used: {error.strerror}; set ADMIN_TOKEN, or mend the folder") from error
    return held
