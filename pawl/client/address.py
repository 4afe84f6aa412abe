"""A server's address, as people give it."""

from __future__ import annotations

from urllib.parse import urlsplit

from pawl.exits import USAGE, CommandFailed


def address_of(server: str) -> str:
    """Without the slash that may end it. Raises CommandFailed."""
    try:
        parts = urlsplit(server.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_one = urlsplit(""), False
    if not is_one:
        raise CommandFailed(USAGE, "--server takes an address such as https://models.example.org/models_serve")
    if "@" in parts.netloc:
        raise CommandFailed(USAGE, "--server takes no user name and password; the token goes by --token or PAWL_TOKEN")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
