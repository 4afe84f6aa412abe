"""Every route of the daemon's, as a running server has them."""

from __future__ import annotations

from core.paths import ADMIN, OPEN_INFERENCE, PATHS, HttpPath, Kind
from tests.serving import Server

DAEMON = [path for path in PATHS if path.kind is Kind.DAEMON and path not in (ADMIN, OPEN_INFERENCE)]
"""Of these two the names are kept, and nothing is there."""


def address(server: Server, path: HttpPath) -> str:
    filled = path.template
    for name in ("{model}", "{version}", "{run}", "{key}", "{action}", "{v}", "{digest}", "{name}"):
        filled = filled.replace(name, "Echo" if name == "{model}" else "v1" if name == "{version}" else "0" * 12)
    return (server.url if path.is_beside_base else server.base) + filled


def methods(server: Server, path: HttpPath) -> list[str]:
    """Those that the route takes, as `Allow` tells."""
    answer = server.request("PATCH", address(server, path))
    assert answer.status == 405, f"nothing is at {path.template}: {answer.status}"
    return sorted({part.strip() for part in answer.headers["allow"].split(",")} - {"HEAD"})
