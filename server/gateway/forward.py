"""Passing on to the daemon what is no model's: a small HTTP/1.1 client for one local server.

Written out here because httpx takes a fifth of a second to import, in which no request would be answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httptools

from server.gateway.asgi import Scope, Send
from server.gateway.refusal import Refused, refuse

_CONNECT_S = 5.0
_SILENCE_S = 60.0
"""Seconds that the daemon may take to begin its answer, and between two pieces of it."""
_MOST_AT_ONCE = 64
_PIECE = 64 * 1024

_HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
"""https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""
_OURS_TO_SAY_IN_REQUESTS = _HOP_BY_HOP | {b"content-length", b"expect", b"x-forwarded-for"}
_OURS_TO_SAY_IN_ANSWERS = _HOP_BY_HOP | {b"date", b"server"}

Headers = list[tuple[bytes, bytes]]


class Forward:
    """The way to the daemon at the Unix socket `path`, for a bounded number of requests at one time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._under_way = 0

    async def pass_on(self, scope: Scope, body: bytes, send: Send) -> None:
        """Answer as the daemon does. Raises Refused, or ConnectionError when the answer breaks off."""
        if self._under_way >= _MOST_AT_ONCE:
            raise _unavailable(f"{_MOST_AT_ONCE} requests to the control plane are under way; try again")
        self._under_way += 1
        try:
            await self._exchange(scope, body, send)
        finally:
            self._under_way -= 1

    async def _exchange(self, scope: Scope, body: bytes, send: Send) -> None:
        reader, writer = await self._connect()
        try:
            writer.write(_head(scope, len(body)) + body)
            await _relay(reader, _Answer(is_head=scope["method"] == "HEAD"), send)
        finally:
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_unix_connection(self._path)
        except (OSError, TimeoutError):
            raise _unavailable("the control plane can't be reached; models are served all the same") from None


class _Answer:
    """What has come of the daemon's answer; httptools calls the `on_…`."""

    def __init__(self, is_head: bool) -> None:
        self._is_head = is_head
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: Headers = []
        self.pieces: list[bytes] = []
        self.is_begun = False
        self.is_whole = False

    def feed(self, data: bytes) -> None:
        """Take in what was received. Raises ConnectionError for what is no answer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise ConnectionError(str(error)) from error

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.headers = list(_end_to_end(self.headers, _OURS_TO_SAY_IN_ANSWERS))
        self.is_begun = True
        self.is_whole = self._is_head

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True


async def _relay(reader: asyncio.StreamReader, answer: _Answer, send: Send) -> None:
    while not answer.is_begun:
        answer.feed(await _receive(reader, answer))
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    while True:
        body, answer.pieces = b"".join(answer.pieces), []
        await send({"type": "http.response.body", "body": body, "more_body": not answer.is_whole})
        if answer.is_whole:
            return
        answer.feed(await _receive(reader, answer))


async def _receive(reader: asyncio.StreamReader, answer: _Answer) -> bytes:
    try:
        async with asyncio.timeout(_SILENCE_S):
            data = await reader.read(_PIECE)
    except (OSError, TimeoutError):
        data = b""
    if data:
        return data
    if answer.is_begun:
        raise ConnectionError("the control plane broke off its answer")
    raise _unavailable("the control plane does not answer; models are served all the same")


def _unavailable(message: str) -> Refused:
    return refuse(503, "control_plane_unavailable", message)


def _head(scope: Scope, length: int) -> bytes:
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers = [
        *_end_to_end(scope["headers"], _OURS_TO_SAY_IN_REQUESTS),
        *_forwarded_for(scope),
        (b"connection", b"close"),
        (b"content-length", b"%d" % length),
    ]
    lines = [scope["method"].encode() + b" " + target + b" HTTP/1.1", *(b": ".join(header) for header in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _forwarded_for(scope: Scope) -> Headers:
    told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    client = [scope["client"][0].encode()] if scope["client"] else []
    return [(b"x-forwarded-for", b", ".join(told + client))] if told or client else []


def _end_to_end(headers: Headers, dropped: frozenset[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The headers that are not only about the connection they came on."""
    named = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    return ((name, value) for name, value in headers if name not in dropped and name not in named)
