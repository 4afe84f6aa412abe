"""Which server a command asks, and with which token."""

from __future__ import annotations

import os

from pawl.client.address import address_of
from pawl.client.api import Api
from pawl.client.login_file import LoginFile
from pawl.client.running import running_here

DEFAULT = "http://127.0.0.1:8000/models_serve"


def connect(server: str, token: str) -> Api:
    """`server` and `token`: as the options or the environment have them, or empty.

    Without a server, it is the one that `pawl login` kept, else the one that runs here, else the default. A kept token
    goes to the server that it was kept for and to no other.
    """
    address, kept = where(server)
    return Api(address, token or kept)


def where(server: str) -> tuple[str, str]:
    """The address, and the token that is kept for it."""
    logins = LoginFile(os.environ).read()
    address = address_of(server or logins.server or _here() or DEFAULT)
    return address, logins.tokens.get(address, "")


def _here() -> str:
    found = running_here(os.environ)
    return "" if found is None else found.url
