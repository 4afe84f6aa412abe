"""What `pawl login` keeps: the address of a server and a token for each, readable for their user alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pawl.exits import FAILED, CommandFailed


class Logins(msgspec.Struct, frozen=True, omit_defaults=True):
    server: str = ""
    """The one that commands ask when none is named."""
    tokens: dict[str, str] = {}
    """By the server's address."""


class LoginFile:
    def __init__(self, environ: Mapping[str, str]) -> None:
        folder = environ.get("XDG_CONFIG_HOME") or os.path.join(
            environ.get("HOME") or os.path.expanduser("~"), ".config"
        )
        self.path = Path(folder) / "pawl" / "login.json"

    def read(self) -> Logins:
        """Raises CommandFailed."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Logins)
        except (FileNotFoundError, NotADirectoryError):
            return Logins()
        except (OSError, msgspec.MsgspecError) as error:
            raise CommandFailed(FAILED, f"{self.path} can't be read: {error}; 'pawl login' writes it anew") from error

    def add(self, server: str, token: str) -> None:
        """Keep that server as the one to ask. Raises CommandFailed."""
        try:
            kept = self.read()
        except CommandFailed:
            kept = Logins()
        tokens = {address: held for address, held in kept.tokens.items() if address != server}
        self._write(Logins(server, {**tokens, **({server: token} if token else {})}))

    def forget(self, server: str) -> bool:
        """Whether there was anything to forget. Raises CommandFailed."""
        kept = self.read()
        known = kept.server == server or server in kept.tokens
        if known:
            tokens = {address: held for address, held in kept.tokens.items() if address != server}
            self._write(Logins("" if kept.server == server else kept.server, tokens))
        return known

    def _write(self, logins: Logins) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, aside = tempfile.mkstemp(dir=self.path.parent, prefix=".login-")  # which is 0600
            with open(handle, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(logins)) + b"\n")
            os.replace(aside, self.path)
        except OSError as error:
            raise CommandFailed(FAILED, f"{self.path} can't be written: {error}") from error
