"""One request of a client, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from core.task import spawn
from gateway.http.body_stream import BodyStream
from gateway.http.compression import AT_ONCE, CODING, SMALLEST, VARY, accepts_gzip, pack
from gateway.http.headers import Fields, Header, encode_headers
from gateway.http.refusals import CLOSE, JSON_TYPE, Refused
from gateway.http.statuses import CLIENT_GONE, STATUS_LINES
from worker.wire.frames import Format

Answerer = Callable[["Exchange"], object]
"""Begins to answer an exchange whose request is whole, or whose body goes to a stream."""


_CLOSE_LINE = b"connection: close\r\n"
_SMALL = 1024
"""Bytes of a body's piece that is not kept by itself."""


class ClientConnection(Protocol):
    """What an exchange needs of the connection that it came on."""

    @property
    def date(self) -> bytes:
        """The header of that name, as a line."""

    @property
    def client(self) -> str:
        """Who is at the other end; empty where nobody says."""

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None:
        """Return once the client has read enough for more to be written."""

    def pause_reading(self) -> None:
        """Leave what comes with the client."""

    def resume_reading(self) -> None: ...

    def finish(self, exchange: Exchange) -> None:
        """The answer is complete."""

    def abort(self) -> None:
        """The answer can't be completed."""


class Exchange(msgspec.Struct, eq=False):
    """A request, whose body may still be coming, and its one answer."""

    __repr__ = object.__repr__  # a struct's own would show the headers and the body

    connection: ClientConnection
    method: bytes
    url: bytes
    """As it was sent."""
    headers: list[Header]
    """Names in lower case."""
    keep_alive: bool
    speaks_1_1: bool
    """Whether the client knows chunks and `100 Continue`."""
    path: bytes
    """Decoded, once somebody had to look; until then the URL."""
    fields: Fields = {}
    """The headers again."""
    more_headers: bytes = b""
    """Lines for whatever is answered."""
    size: int = 0
    """Bytes of the body so far."""
    format: Format = Format.PAWL_JSON
    """How the body is written, where a model is to read it."""
    stream: BodyStream | None = None
    """Where the body goes piece by piece, if its answerer passes it on; then no byte of it is kept here."""
    is_whole: bool = False
    """Whether all of the request has come."""
    is_taken: bool = False
    """Whether an answer is being made."""
    is_over: bool = False
    """Whether it is answered, or nobody waits for an answer any more: whatever is answered then is dropped."""
    answerer: Answerer | None = None
    answer_headers: bytes = b""
    """Lines for `answer`."""
    refusal: Refused | None = None
    """What is answered in place of what the answerer says."""
    on_leave: Callable[[int], object] | None = None
    """Called when nobody waits for the answer any more, with the status that counts in its place."""
    _pieces: list[bytes | bytearray] = []
    _is_begun: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    @property
    def client(self) -> str:
        return self.connection.client

    def add(self, piece: bytes) -> None:
        """More of the body."""
        if not self._pieces or len(piece) >= _SMALL:
            self._pieces.append(piece)
        else:
            self._add_small(piece)
        self.size += len(piece)

    def replace_body(self, pieces: Iterable[bytes]) -> None:
        """By what it stands for."""
        self._pieces = list(pieces)
        self.size = sum(map(len, self._pieces))

    def answer(self, status: int, body: bytes) -> None:
        """The whole answer, with `answer_headers`."""
        self.respond(self.answer_headers, status, body)

    def respond(self, headers: bytes, status: int, body: bytes) -> None:
        """The whole answer. `headers`: lines, without the length."""
        if len(body) > SMALLEST:
            self._respond_large(headers + encode_headers([VARY]), status, body)
        else:
            self._respond(headers, status, body)

    def _respond_large(self, headers: bytes, status: int, body: bytes) -> None:
        if not accepts_gzip(self.fields):
            self._respond(headers, status, body)
        elif len(body) <= AT_ONCE:
            self._respond(headers + encode_headers([CODING]), status, pack(body))
        else:
            self.on_leave = spawn(self._respond_packed(headers, status, body), "pack an answer").cancel

    async def _respond_packed(self, headers: bytes, status: int, body: bytes) -> None:
        packed = await asyncio.to_thread(pack, body)
        self._respond(headers + encode_headers([CODING]), status, packed)

    def _respond(self, headers: bytes, status: int, body: bytes) -> None:
        if self.is_over:
            return
        self._end()
        closing = self.more_headers if self.keep_alive else self.more_headers + _CLOSE_LINE
        shown = b"" if self.method == b"HEAD" else body
        self.connection.write(
            b"%b%b%b%bcontent-length: %d\r\n\r\n%b"
            % (STATUS_LINES[status], self.connection.date, headers, closing, len(body), shown)
        )
        self.connection.finish(self)

    def refuse(self, refused: Refused) -> None:
        """The answer is an error."""
        if self._is_begun and not self.is_over:
            self.connection.abort()
            return
        # A client that expected a 100 may send its body or not: nobody can tell where its next request begins.
        if b"expect" in self.fields or CLOSE in refused.headers:
            self.keep_alive = False
        headers = [JSON_TYPE, *(each for each in refused.headers if each != CLOSE)]
        self.respond(encode_headers(headers), refused.status, refused.body)

    def begin(self, status: int, headers: bytes, *, has_end: bool) -> None:
        """The head of an answer whose body is written as it comes. `has_end`: whether its reader can tell where it
        ends; where not, that is where the connection ends."""
        self._is_begun = True
        self.keep_alive = self.keep_alive and has_end
        closing = self.more_headers if self.keep_alive else self.more_headers + _CLOSE_LINE
        self.write(b"%b%b%b%b\r\n" % (STATUS_LINES[status], self.connection.date, headers, closing))

    def write(self, data: bytes) -> None:
        """More of the answer that was begun, as it is to be sent."""
        if not self.is_over:
            self.connection.write(data)

    def end(self) -> None:
        """The answer that was begun is complete."""
        if not self.is_over:
            self._end()
            self.connection.finish(self)

    def abort(self) -> None:
        """The answer that was begun can't be completed."""
        if not self.is_over:
            self.connection.abort()

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        on_leave = self.on_leave
        self._end()
        if on_leave is not None:
            on_leave(CLIENT_GONE)

    def fail(self, refused: Refused) -> None:
        """Refuse what is being answered."""
        on_leave = self.on_leave
        self.refuse(refused)
        if on_leave is not None:
            on_leave(refused.status)

    def _add_small(self, piece: bytes) -> None:
        """Beside those before it: by itself it would take many times its size."""
        last = self._pieces[-1]
        if isinstance(last, bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))

    def _end(self) -> None:
        self.is_over = True
        self.on_leave = None  # it leads back here: a cycle for each request, which only a collection would free
