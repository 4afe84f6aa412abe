"""What a request's URL and headers say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from server.gateway.exchange import Header
from server.gateway.refusal import CLOSE, refuse

_FORM = b"application/x-www-form-urlencoded"
"""What `curl -d` and urllib say of every body; the body is read as JSON all the same."""


class Url(NamedTuple):
    """A request's target, taken apart."""

    path: str
    """Decoded."""
    raw_path: bytes
    query: bytes


def parse_url(url: bytes) -> Url:
    """Raises Refused for what is none."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        raise refuse(400, "malformed_request", "the request's target is no URL", CLOSE) from None
    raw_path = parsed.path or b"/"
    return Url(unquote(raw_path.decode("ascii", "replace")), raw_path, parsed.query or b"")


def declared_length(headers: Iterable[Header]) -> int:
    """Bytes that the body is said to have, 0 where nothing is said."""
    return next((int(value) for name, value in headers if name == b"content-length"), 0)


def json_length(headers: Iterable[Header]) -> int:
    """The same of a body that must be plain JSON. Raises Refused for another."""
    length = 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value)
        elif name == b"content-type":
            _check_type(value)
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise refuse(415, "unsupported_encoding", "send the body without a Content-Encoding")
    return length


def _check_type(value: bytes) -> None:
    if value == b"application/json":
        return
    media = value.split(b";", 1)[0].strip().lower()
    if media and media not in (b"application/json", _FORM) and not media.endswith(b"+json"):
        raise refuse(415, "unsupported_media_type", "send JSON, with Content-Type: application/json")
