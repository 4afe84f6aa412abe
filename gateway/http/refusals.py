"""What the gateway says when it does not pass a request on: one shape, from one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]

JSON_TYPE = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")
ALLOW = (b"allow", b"GET, HEAD, POST")
CLOSE = (b"connection", b"close")
_RETRY = {502: b"1", 503: b"1"}
"""Seconds after which another try is worth it."""


class Refused(Exception):
    """The request gets an error in place of an answer."""

    def __init__(self, status: int, error: Mapping[str, Any], headers: Headers = ()) -> None:
        super().__init__(error.get("message"))
        self.status = status
        self.body = msgspec.json.encode({"error": error})
        self.headers = headers


def refuse(status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> Refused:
    return Refused(status, {"code": code, "message": message}, headers)


def failure() -> Refused:
    """What a request meets that shows a mistake of ours."""
    return refuse(500, "internal", "Pawl itself has failed; its log says how")


def retry_after(status: int) -> Headers:
    """The header that goes with a status that another try may cure."""
    seconds = _RETRY.get(status)
    return () if seconds is None else ((b"retry-after", seconds),)


def shorten(text: str, at_most: int = 100) -> str:
    """What a client sent, cut to what may be repeated to it."""
    return text if len(text) <= at_most else text[: at_most - 1] + "…"
