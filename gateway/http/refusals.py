"""What the gateway says when it does not pass a request on: one shape, from one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.error_codes import ERROR_CODES, ErrorCode

Headers = tuple[tuple[bytes, bytes], ...]

JSON_TYPE = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")
ALLOW = (b"allow", b"GET, HEAD, POST")
CLOSE = (b"connection", b"close")


class Refused(Exception):
    """The request gets an error in place of an answer."""

    def __init__(self, error: Mapping[str, Any], headers: Headers = ()) -> None:
        """`error`: its `code`, one of the table's, its `message`, and what else the caller is told."""
        known = ERROR_CODES[error["code"]]
        super().__init__(error.get("message"))
        self.status = known.status
        self.body = msgspec.json.encode({"error": error})
        is_said = any(name == b"retry-after" for name, _ in headers)
        self.headers = headers if is_said else (*headers, *_retry_after(known))


def refuse(code: str, message: str, *headers: tuple[bytes, bytes]) -> Refused:
    return Refused({"code": code, "message": message}, headers)


def failure() -> Refused:
    """What a request meets that shows a mistake of ours."""
    return refuse("internal", "Pawl itself has failed; its log says how")


def shorten(text: str, at_most: int = 100) -> str:
    """What a client sent, cut to what may be repeated to it."""
    return text if len(text) <= at_most else text[: at_most - 1] + "…"


def _retry_after(code: ErrorCode) -> Headers:
    return () if code.retry_after_s is None else ((b"retry-after", b"%d" % code.retry_after_s),)
