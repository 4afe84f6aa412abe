"""Answers packed with gzip where that is asked for (RFC 9110, sections 8.4 and 12.5.3)."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping, Sequence

_Header = tuple[bytes, bytes]

SMALLEST = 1024
"""Bytes: no answer up to that many is packed."""
AT_ONCE = 16 * 1024
"""Bytes of an answer that the event loop may pack itself: it does nothing else meanwhile."""
CODING = (b"content-encoding", b"gzip")
VARY = (b"vary", b"accept-encoding")

_LEVEL = 1
"""For numbers in JSON, higher ones take many times as long and save little more."""
_NAMES = (b"gzip", b"x-gzip")
_LIKED = re.compile(rb"\s*([^\s;]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
_PACKABLE = re.compile(rb"(?!text/event-stream)(text/|[^;]*[/+](json|javascript|xml|yaml)\b)", re.IGNORECASE)


def accepts_gzip(fields: Mapping[bytes, bytes]) -> bool:
    """Whether a client wants its answer packed; one that says nothing does not."""
    liked = {}
    for part in fields.get(b"accept-encoding", b"").lower().split(b","):
        if found := _LIKED.fullmatch(part):
            liked[found[1]] = float(found[2] or 1)
    gzip = max((liked[name] for name in _NAMES if name in liked), default=liked.get(b"*", 0.0))
    return gzip > 0 and gzip >= liked.get(b"identity", 0.0)


def pack(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)


class CompressedAnswer:
    """How an answer is sent of which the head has come, and the body comes in pieces."""

    def __init__(self, asked: Mapping[bytes, bytes], status: int, headers: Sequence[_Header]) -> None:
        """`asked`: the request's fields. What is small, packed already, or has no end yet (events) is sent as it is."""
        self.headers = list(headers)
        self._packer = None
        if not _may_be_packed(status, dict(headers)):
            return
        self.headers.append(VARY)
        if accepts_gzip(asked):
            self.headers = [*(_weak(header) for header in self.headers if header[0] != b"content-length"), CODING]
            self._packer = zlib.compressobj(_LEVEL, wbits=zlib.MAX_WBITS | 16)

    def pack(self, piece: bytes, *, is_last: bool) -> bytes:
        if self._packer is None:
            return piece
        return self._packer.compress(piece) + (self._packer.flush() if is_last else b"")


def _may_be_packed(status: int, said: Mapping[bytes, bytes]) -> bool:
    if status == 206 or b"content-encoding" in said or int(said.get(b"content-length", 0)) <= SMALLEST:
        return False
    return bool(_PACKABLE.match(said.get(b"content-type", b"")))


def _weak(header: _Header) -> _Header:
    """An ETag of what is packed is not one of the same bytes (RFC 9110, section 8.8.1)."""
    name, value = header
    return (name, b"W/" + value) if name == b"etag" and not value.startswith(b"W/") else header
