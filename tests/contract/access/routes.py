"""Every route of the daemon's, as a running server has them."""

from __future__ import annotations

from collections.abc import Mapping

from core.paths import ADMIN, OPEN_INFERENCE, PATHS, HttpPath, Kind
from tests.serving import Answer, Server

DAEMON = [path for path in PATHS if path.kind is Kind.DAEMON and path not in (ADMIN, OPEN_INFERENCE)]
"""Of these two the names are kept, and nothing is there."""


def address(server: Server, path: HttpPath) -> str:
    filled = path.template
    for name in ("{model}", "{version}", "{run}", "{key}", "{action}", "{v}", "{digest}", "{name}"):
        filled = filled.replace(name, "Echo" if name == "{model}" else "v1" if name == "{version}" else "0" * 12)
    return (server.url if path.is_beside_base else server.base) + filled


def methods(server: Server, path: HttpPath) -> list[str]:
    """Those that some route takes there: each may have a route of its own, so `Allow` tells of the first alone."""
    return [method for method in ("GET", "POST", "PUT", "DELETE") if ask(server, method, path, {}).status != 405]


def ask(server: Server, method: str, path: HttpPath, headers: Mapping[str, str]) -> Answer:
    """The answer; of a stream, which has no end, the head."""
    with server.http.stream(method, address(server, path), headers=headers) as answer:
        is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        return Answer(answer.status_code, answer.headers, b"" if is_endless else answer.read())
