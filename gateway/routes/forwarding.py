"""Forwards requests for other paths than models' to the daemon: a small HTTP/1.1 client for one local server.

It is written out here because importing httpx would add a fifth of a second to a gateway's start.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import httptools

from core.task import spawn
from gateway.http.compression import CompressedAnswer, accepts_gzip
from gateway.http.exchange import Exchange
from gateway.http.headers import Header, encode_headers
from gateway.http.refusals import Refused, refuse
from gateway.http.request import parse_url
from gateway.http.streaming import StreamedAnswer

_CONNECT_S = 5.0
_SILENCE_S = 60.0
"""Seconds that the daemon may take to begin its answer, and between two pieces of it."""
_MOST_AT_ONCE = 64
_PIECE = 64 * 1024

_NO_ANSWER = "the control plane does not answer; models are served nevertheless"

_HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
"""https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""
_OURS_TO_SAY_IN_REQUESTS = _HOP_BY_HOP | {b"content-length", b"expect", b"x-forwarded-for", b"accept-encoding"}
_CHUNKED = (b"transfer-encoding", b"chunked")
_OURS_TO_SAY_IN_ANSWERS = _HOP_BY_HOP | {b"date", b"server"}


class Forwarding:
    """The way to the daemon at the Unix socket `path`, for a bounded number of requests at one time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._under_way = 0

    async def pass_on(self, exchange: Exchange) -> None:
        """Answer as the daemon does. Raises Refused, or ConnectionError when the answer breaks off."""
        if self._under_way >= _MOST_AT_ONCE:
            raise _unavailable(f"{_MOST_AT_ONCE} requests to the control plane are under way; try again")
        self._under_way += 1
        try:
            await self._ask(exchange)
        finally:
            self._under_way -= 1

    async def _ask(self, exchange: Exchange) -> None:
        with await self._connect() as daemon:
            link = _Link(daemon)
            sending = spawn(_send(link, exchange), "send a request to the daemon")
            try:
                await _relay(link, _Answer(is_head=exchange.method == b"HEAD"), exchange)
            finally:
                sending.cancel()
                await asyncio.wait({sending})

    async def _connect(self) -> socket.socket:
        daemon = socket.socket(socket.AF_UNIX)
        daemon.setblocking(False)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await asyncio.get_running_loop().sock_connect(daemon, self._path)
                return daemon
        except asyncio.CancelledError:
            daemon.close()
            raise
        except (OSError, TimeoutError):
            daemon.close()
            raise _unavailable("the control plane can't be reached; models are served nevertheless") from None


class _Answer:
    """What has come of the daemon's answer; httptools calls the `on_…`."""

    def __init__(self, is_head: bool) -> None:
        self._is_head = is_head
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: list[Header] = []
        self.pieces: list[bytes] = []
        self.is_begun = False
        self.is_whole = False

    def feed(self, data: bytes) -> None:
        """Parse what was received. Raises Refused where it is not a valid answer, ConnectionError where a valid one
        breaks off."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise (ConnectionError(str(error)) if self.is_begun else _unavailable(_NO_ANSWER)) from error

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


class _Link:
    """The daemon, which may be silent for so long once it is its turn."""

    def __init__(self, daemon: socket.socket) -> None:
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.Timeout | None = None
        self._is_waiting_for_client = False

    async def send(self, data: bytes) -> None:
        """Raises OSError."""
        self._wait_for_client(False)
        await self._loop.sock_sendall(self._daemon, data)
        self._wait_for_client(False)

    async def send_all(self, pieces: AsyncIterator[bytes]) -> None:
        """As they come from a client; while one is waited for, the daemon may be silent. Raises OSError."""
        self._wait_for_client(True)
        async for piece in pieces:
            await self.send(piece)
            self._wait_for_client(True)
        self._wait_for_client(False)

    async def receive(self) -> bytes:
        """What it says next; nothing where it is silent for too long, or has gone."""
        try:
            async with asyncio.timeout(None) as self._deadline:
                self._set_deadline()
                return await self._loop.sock_recv(self._daemon, _PIECE)
        except (OSError, TimeoutError):
            return b""
        finally:
            self._deadline = None

    def _wait_for_client(self, is_waiting: bool) -> None:
        self._is_waiting_for_client = is_waiting
        self._set_deadline()

    def _set_deadline(self) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(None if self._is_waiting_for_client else self._loop.time() + _SILENCE_S)


async def _send(link: _Link, exchange: Exchange) -> None:
    """As much as is taken: an answer may come before the whole body has been read, and then counts all the same."""
    with contextlib.suppress(OSError):
        if exchange.stream is None:
            await link.send(_head(exchange, (b"content-length", b"%d" % exchange.size)) + exchange.body)
            return
        length = exchange.fields.get(b"content-length")
        await link.send(_head(exchange, _CHUNKED if length is None else (b"content-length", length)))
        pieces = exchange.stream.pieces()
        await link.send_all(_chunks(pieces) if length is None else pieces)


async def _chunks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


async def _relay(link: _Link, answer: _Answer, exchange: Exchange) -> None:
    while not answer.is_begun:
        answer.feed(await _receive(link, answer))
    compressed = CompressedAnswer(exchange.fields, answer.status, answer.headers)
    streamed = StreamedAnswer(exchange, answer.status, compressed.headers)
    while True:
        piece, answer.pieces = b"".join(answer.pieces), []
        await streamed.send(compressed.pack(piece, is_last=answer.is_whole))
        if answer.is_whole:
            streamed.end()
            return
        answer.feed(await _receive(link, answer))


async def _receive(link: _Link, answer: _Answer) -> bytes:
    if data := await link.receive():
        return data
    if answer.is_begun:
        raise ConnectionError("the control plane broke off its answer")
    raise _unavailable(_NO_ANSWER)


def _unavailable(message: str) -> Refused:
    return refuse("control_plane_unavailable", message)


def _head(exchange: Exchange, framing: Header) -> bytes:
    url = parse_url(exchange.url)
    target = url.raw_path + (b"?" + url.query if url.query else b"")
    headers = [
        *_end_to_end(exchange.headers, _OURS_TO_SAY_IN_REQUESTS),
        *_forwarded_for(exchange),
        *([(b"accept-encoding", b"gzip")] if accepts_gzip(exchange.fields) else []),
        (b"connection", b"close"),
        framing,
    ]
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (exchange.method, target, encode_headers(headers))


def _forwarded_for(exchange: Exchange) -> list[Header]:
    forwarded = [value for name, value in exchange.headers if name == b"x-forwarded-for"]
    client = [exchange.client.encode()] if exchange.client else []
    return [(b"x-forwarded-for", b", ".join(forwarded + client))] if forwarded or client else []


def _end_to_end(headers: list[Header], dropped: frozenset[bytes]) -> Iterator[Header]:
    """The headers that are not only about the connection they came on."""
    named = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    return ((name, value) for name, value in headers if name not in dropped and name not in named)
