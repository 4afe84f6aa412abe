"""What `pawl login` keeps: the address of a server and a token for each, readable for their user alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pawl.exits import FAILED, CommandFailed
from pawl.terminal.json_text import json_text, read_json


@dataclass(frozen=True)
class Logins:
    server: str = ""
    """The one that commands ask when none is named."""
    tokens: Mapping[str, str] = field(default_factory=dict)
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
            return _logins(read_json(self.path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return Logins()
        except (OSError, ValueError) as error:
            raise CommandFailed(FAILED, f"{self.path} can't be read: {error}; 'pawl login' writes it anew") from error

    def add(self, server: str, token: str) -> None:
        """Keep that server as the one to ask. Raises CommandFailed."""
        try:
            kept = self.read()
        except CommandFailed:
            kept = Logins()
        self._write(Logins(server, {**_without(kept.tokens, server), **({server: token} if token else {})}))

    def forget(self, server: str) -> bool:
        """Whether there was anything to forget. Raises CommandFailed."""
        kept = self.read()
        is_known = kept.server == server or server in kept.tokens
        if is_known:
            self._write(Logins("" if kept.server == server else kept.server, _without(kept.tokens, server)))
        return is_known

    def _write(self, logins: Logins) -> None:
        import tempfile  # here: no other command needs it

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, aside = tempfile.mkstemp(dir=self.path.parent, prefix=".login-")  # which is 0600
            with open(handle, "w", encoding="utf-8") as file:
                file.write(json_text({"server": logins.server, "tokens": dict(logins.tokens)}, indent=2) + "\n")
            os.replace(aside, self.path)
        except OSError as error:
            raise CommandFailed(FAILED, f"{self.path} can't be written: {error}") from error


def _logins(held: object) -> Logins:
    """Raises ValueError."""
    match held:
        case {"server": str(server), "tokens": dict(tokens)} if all(isinstance(one, str) for one in tokens.values()):
            return Logins(server, tokens)
        case _:
            raise ValueError("it is not what 'pawl login' writes")


def _without(tokens: Mapping[str, str], server: str) -> dict[str, str]:
    return {address: held for address, held in tokens.items() if address != server}
