"""Which server a command asks, and with which token."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from pawl.client.address import address_of
from pawl.client.api import Api
from pawl.client.login_file import LoginFile, Logins

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT = "http://127.0.0.1:8000/models_serve"


def connect(server: str, token: str) -> Api:
    """`server` and `token`: as the options or the environment have them, or empty.

    Without a server, it is the one that `pawl login` kept, else the one that runs here, else the default. A kept token
    goes to the server that it was kept for and to no other.
    """
    found = where(server, needs_token=not token)
    return Api(found.admin, token or found.token, found.models)


@dataclass(frozen=True)
class Place:
    admin: str
    """Where the admin API is."""
    models: str
    """Where models are: the same, where the server has no port of its own for the other."""
    token: str
    """That is kept for it."""


def where(server: str, *, needs_token: bool = True) -> Place:
    """Without `needs_token`, none is looked for that is not kept, which takes a while. Raises CommandFailed."""
    logins = LoginFile(os.environ).read()
    if not (server or logins.server):
        return _here(logins)
    address = address_of(server or logins.server)
    token = logins.tokens.get(address, "") or (_token_of_here(address) if needs_token else "")
    return Place(address, address, token)


def _here(logins: Logins) -> Place:
    from pawl.client.running import running_here, token_here  # here: reading settings takes a while

    here = running_here(os.environ)
    if here is None:
        return Place(DEFAULT, DEFAULT, logins.tokens.get(DEFAULT, ""))
    return Place(here.admin_url, here.url, logins.tokens.get(here.admin_url, "") or token_here(os.environ))


def _token_of_here(address: str) -> str:
    """If that is the server that runs here, on this machine."""
    if urlsplit(address).hostname not in _HERE:
        return ""
    from pawl.client.running import running_here, token_here  # here: reading settings takes a while

    here = running_here(os.environ)
    return token_here(os.environ) if here is not None and address in (here.url, here.admin_url) else ""
