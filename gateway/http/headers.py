"""Header lines of HTTP messages."""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]
Fields = dict[bytes, bytes]
"""Headers by name, in lower case; what came in several has one value, a list (RFC 9110, section 5.3)."""


def encode_headers(headers: Iterable[Header]) -> bytes:
    """As they stand in an HTTP message, each with the end of its line."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def by_name(headers: Iterable[Header]) -> Fields:
    """Names must be in lower case."""
    values: dict[bytes, dict[bytes, None]] = {}
    for name, value in headers:
        values.setdefault(name, {})[value] = None
    return {name: b", ".join(each) for name, each in values.items()}
