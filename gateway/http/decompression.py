"""Bodies of requests that come packed with gzip (RFC 9110, section 8.4)."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from gateway.http.bodies import BodyBudget
from gateway.http.exchange import Exchange
from gateway.http.headers import Fields
from gateway.http.refusals import Refused, refuse

_PIECE = 64 * 1024
"""Bytes that are unpacked before others get their turn."""
_MOST_MEMBERS = 10_000
"""Of one body: to begin one takes longer than its few bytes are worth."""
_GZIP = zlib.MAX_WBITS | 16
_TAKEN = (b"accept-encoding", b"gzip, identity")


def is_packed(fields: Fields) -> bool:
    """Whether a request's body has to be unpacked. Raises Refused for what can't be."""
    codings = [each.strip().lower() for each in fields.get(b"content-encoding", b"").split(b",")]
    codings = [each for each in codings if each not in (b"", b"identity")]
    if codings not in ([], [b"gzip"], [b"x-gzip"]):
        raise refuse("unsupported_encoding", "send the body with Content-Encoding: gzip, or without any", _TAKEN)
    return bool(codings)


async def unpack(exchange: Exchange, bodies: BodyBudget) -> None:
    """Put what the body holds in its place, piece by piece. Raises Refused for what is not gzip or holds too much."""
    packed = exchange.size
    if packed:
        pieces, size = [], 0
        for piece in _unpacked(memoryview(exchange.body)):
            bodies.take(size, len(piece))
            exchange.size += len(piece)
            size += len(piece)
            pieces.append(piece)
            await asyncio.sleep(0)
        bodies.release(packed)
        exchange.replace_body(pieces)
    exchange.headers = [header for header in exchange.headers if header[0] != b"content-encoding"]


def _unpacked(packed: memoryview) -> Iterator[bytes]:
    """What the members of a gzip file (RFC 1952) hold, in pieces. Raises Refused."""
    at = 0
    for _ in range(_MOST_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            data: bytes | memoryview = member.unconsumed_tail
            if not data:
                data = packed[at : at + _PIECE]
                at += len(data)
            if not data:
                raise _malformed("it ends too early")
            try:
                yield member.decompress(data, _PIECE)
            except zlib.error as error:
                raise _malformed(str(error)) from None
        at -= len(member.unused_data)
        if at == len(packed):
            return
    raise _malformed(f"it has more than {_MOST_MEMBERS} members")


def _malformed(why: str) -> Refused:
    return refuse("malformed_encoding", f"the body is not valid gzip: {why}")
