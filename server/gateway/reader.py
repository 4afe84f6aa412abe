"""Requests from a client's bytes: HTTP/1.1 by llhttp (httptools), within limits."""

from __future__ import annotations

from typing import Protocol

import httptools

from server.gateway.body import Bodies
from server.gateway.exchange import Exchange, Header, Line
from server.gateway.limits import Limits, Phase
from server.gateway.refusal import CLOSE, Refused, refuse


class Receiver(Line, Protocol):
    """What a reader needs of the connection that the bytes come on."""

    def begin(self, exchange: Exchange) -> None:
        """A request of which the head has come, and which is refused already where that is no good."""

    def advance(self) -> None:
        """A request is whole now, or refused."""


class RequestReader:
    """Makes exchanges of what it is fed; llhttp calls the `on_…`."""

    def __init__(self, receiver: Receiver, bodies: Bodies, limits: Limits) -> None:
        self.exchange: Exchange | None = None
        """The one whose body is coming."""
        self.requests = 0
        """How many have begun."""
        self.is_closed = False
        """Whether nothing that comes is a request any more."""
        self._receiver = receiver
        self._bodies = bodies
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        # A client that says `Connection: close` and then something more still gets its answer.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._url = b""
        self._headers: list[Header] = []
        self._in_head = False
        self._fed = 0
        """Bytes received since a head, a piece of a body or a request was last whole."""

    @property
    def phase(self) -> Phase:
        """What is waited for where no request waits for its answer."""
        if self.is_closed:
            return Phase.PARTING
        if self.exchange is not None:
            return Phase.LEFTOVER
        return Phase.HEAD if self._in_head else Phase.IDLE

    def feed(self, data: bytes) -> None:
        """Raises Refused where no more can be read."""
        if self.is_closed:
            return
        self._fed += len(data)
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._go_on(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError as error:
            raise refuse(400, "malformed_request", f"this is no HTTP: {error}", CLOSE) from error
        if self._fed > self._limits.head_bytes:
            raise self._too_large_a_head()

    def close(self) -> None:
        """Take nothing more for a request."""
        self.is_closed = True
        self.exchange = None

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []
        self._in_head = True
        self.requests += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body in chunks is no header: nobody in front of us has looked at it.
        if self._in_head and len(self._headers) <= self._limits.headers:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.is_closed:  # the rest of what was received with the last request
            return
        parser = self._parser
        version = parser.get_http_version()
        speaks_1_1 = version == "1.1"
        keep_alive = speaks_1_1 and parser.should_keep_alive()
        url, headers = self._url, self._headers
        exchange = Exchange(self._receiver, parser.get_method(), url, headers, keep_alive, speaks_1_1, path=url)
        fed, self._fed = self._fed, 0
        if len(self._headers) > self._limits.headers or (fed > self._limits.head_bytes and self._is_long()):
            exchange.refusal = self._too_large_a_head()
        elif not speaks_1_1 and version != "1.0":
            said = f"HTTP/1.1 is spoken here, and not {version}"
            exchange.refusal = refuse(505, "http_version_not_supported", said, CLOSE)
        self.exchange = exchange
        self._receiver.begin(exchange)

    def on_body(self, piece: bytes) -> None:
        self._fed = 0
        exchange = self.exchange
        if exchange is None or exchange.refusal is not None or exchange.is_over:
            return
        try:
            self._bodies.take(exchange.size, len(piece))
        except Refused as refused:
            exchange.refusal = refused
            self._receiver.advance()
        else:
            exchange.add(piece)

    def on_message_complete(self) -> None:
        exchange, self.exchange = self.exchange, None
        self._fed = 0
        if exchange is not None:
            exchange.is_whole = True
            self._receiver.advance()

    def _go_on(self, rest: memoryview) -> None:
        """What asks for another protocol is answered as if it had not; each is where the parser stops."""
        while rest and not self.is_closed:
            try:
                self._parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]

    def _is_long(self) -> bool:
        """What comes in one piece with other things has no length until it is parsed."""
        length = len(self._url) + sum(len(name) + len(value) for name, value in self._headers)
        return length > self._limits.head_bytes

    def _too_large_a_head(self) -> Refused:
        most = f"{self._limits.head_bytes} bytes beside its body, and {self._limits.headers} headers"
        return refuse(431, "head_too_large", f"a request has at most {most}", CLOSE)
