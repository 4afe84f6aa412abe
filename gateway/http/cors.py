"""Which web pages of other origins may read answers (the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from __future__ import annotations

import re
from collections.abc import Collection

from core.paths import ADMIN
from gateway.http.exchange import Exchange
from gateway.http.headers import Header, encode_headers

_EXPOSED = (
    b"access-control-expose-headers",
    b"X-Pawl-Model, X-Pawl-Version, X-Pawl-Commit, X-Pawl-Role, X-Pawl-Run, Retry-After",
)
_METHODS = (b"access-control-allow-methods", b"GET, HEAD, POST")
_MAX_AGE = (b"access-control-max-age", b"600")
_VARY = (b"vary", b"origin")
_NAMES = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s*,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*")


class Cors:
    """Answers pages of some origins, or of any (`*`), in all that is under the base path but what is an operator's."""

    def __init__(self, base: str, origins: Collection[str]) -> None:
        self._base = base
        self._origins = frozenset(origin.encode() for origin in origins)

    def admit(self, exchange: Exchange, path: str) -> bool:
        """Let the answer say who may read it; whether the request only asks that (a preflight)."""
        if not self._covers(path):
            return False
        allowed = self._allowed(exchange.fields.get(b"origin", b""))
        exchange.more_headers = encode_headers([*([allowed, _EXPOSED] if allowed else []), *self._vary()])
        asks = exchange.method == b"OPTIONS" and b"access-control-request-method" in exchange.fields
        return asks and b"origin" in exchange.fields and allowed is not None

    def answer_preflight(self, exchange: Exchange) -> None:
        wished = exchange.fields.get(b"access-control-request-headers", b"")
        named = wished if _NAMES.fullmatch(wished) else b"content-type"
        exchange.respond(encode_headers([_METHODS, (b"access-control-allow-headers", named), _MAX_AGE]), 200, b"")

    def _covers(self, path: str) -> bool:
        rest = path.removeprefix(self._base)
        is_under_base = path.startswith(self._base) and rest[:1] in ("", "/")
        return is_under_base and rest != ADMIN.template and not rest.startswith(f"{ADMIN.template}/")

    def _allowed(self, origin: bytes) -> Header | None:
        if b"*" in self._origins:
            return (b"access-control-allow-origin", b"*")
        return (b"access-control-allow-origin", origin) if origin in self._origins else None

    def _vary(self) -> list[Header]:
        """Where all get the same answer, caches may keep one for all."""
        return [] if b"*" in self._origins else [_VARY]
