"""`ADMIN_TOKEN`, the key that is always there: the setting, or one that a first start makes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from core.errors import PawlError
from core.keys import Key, Scope, digest_of, new_key_text
from server.access.private_file import read_private, write_private

log = logging.getLogger("pawl")

NAME = "ADMIN_TOKEN"
"""The key's name and id, and that of the file which holds it where the setting doesn't."""


class AdminToken:
    """The token's text, which is known to us alone, and the key that it is."""

    def __init__(self, text: str, *, is_new: bool) -> None:
        """`is_new`: nobody has seen it yet."""
        self.is_new = is_new
        self.key = Key(
            id=NAME,
            digest=digest_of(text),
            name=NAME,
            scopes=(Scope.ADMIN,),
            created_at=datetime.fromtimestamp(0, UTC),
        )

    @classmethod
    def of(cls, setting: str, data: Path) -> AdminToken:
        """The setting's, else what DATA_DIR holds, else a new one, which is kept there. Raises PawlError."""
        if setting:
            return cls(setting, is_new=False)
        path = data / NAME
        try:
            held = (read_private(path) or b"").decode(errors="replace").strip()
            if held:
                return cls(held, is_new=False)
            made = new_key_text()
            write_private(path, made.encode() + b"\n")
        except OSError as error:
            raise PawlError(f"{path} can't be used: {error.strerror}; set ADMIN_TOKEN, or mend the folder") from error
        log.info("there was no ADMIN_TOKEN, so one was made: %s holds it", path)
        return cls(made, is_new=True)
