"""What a request's URL and headers say."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from gateway.http.headers import Fields
from gateway.http.refusals import CLOSE, Refused, refuse
from worker.wire.frames import Format

_FORM = b"application/x-www-form-urlencoded"
"""What `curl -d` and urllib say of every body; the body is read as JSON all the same."""


_FLAT = {b"true": True, b"1": True, b"false": False, b"0": False}


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
        raise refuse("malformed_request", "the request's target is not a valid URL", CLOSE) from None
    raw_path = parsed.path or b"/"
    return Url(unquote(raw_path.decode("ascii", "replace")), raw_path, parsed.query or b"")


def declared_length(fields: Fields) -> int:
    """Bytes that the body is said to have, 0 where nothing is said."""
    return int(fields.get(b"content-length", 0))


def body_format(fields: Fields) -> Format:
    """The format of a body that a model is to read. Raises Refused for one that none reads."""
    type = fields.get(b"content-type", b"")
    return Format.PAWL_JSON if type == b"application/json" else _format_of(type)


def check_reading(url: bytes, taken: Container[bytes]) -> None:
    """Raise Refused for variables where none are read: to leave them out would be to score others than were meant."""
    _, _, query = url.partition(b"#")[0].partition(b"?")
    for parameter in filter(None, query.split(b"&")):
        if parameter.partition(b"=")[0] not in taken:
            said = 'GET scores without variables and reads no query; POST {"variables": {…}} as JSON'
            raise refuse("invalid_variables", said)


def wants_flat(url: bytes) -> bool:
    """Whether the answers of all are wanted in one object. Raises Refused for what is neither yes nor no."""
    for parameter in parse_url(url).query.split(b"&"):
        name, _, value = parameter.partition(b"=")
        if name == b"flat":
            if value.lower() not in _FLAT:
                raise Refused({"code": "invalid_parameter", "message": "flat is true or false", "field": "flat"})
            return _FLAT[value.lower()]
    return False


def _format_of(type: bytes) -> Format:
    media = type.split(b";", 1)[0].strip().lower()
    if media and media not in (b"application/json", _FORM) and not media.endswith(b"+json"):
        raise refuse("unsupported_media_type", "send JSON, with Content-Type: application/json")
    return Format.PAWL_JSON
