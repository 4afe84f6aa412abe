"""Requests from a client's bytes: HTTP/1.1 by llhttp (httptools), within limits.

Who offers to speak another protocol (`Upgrade: h2c` is what Java's HttpClient sends with each request) is answered in
this one. httptools would take the offer up: it leaves the body unread, and what reads on there finds a request in it.
So such a head is fed once more, without the offer and to a new parser, and the body behind it is read as any other.
"""

from __future__ import annotations

from typing import Protocol

import httptools

from gateway.http.bodies import BodyBudget
from gateway.http.exchange import ClientConnection, Exchange
from gateway.http.head import Head, fault, too_large, unknown_version
from gateway.http.headers import Fields, Header, by_name, encode_headers
from gateway.http.limits import Limits, Phase
from gateway.http.refusals import CLOSE, Refused, refuse


class Receiver(ClientConnection, Protocol):
    """What a reader needs of the connection that the bytes come on."""

    def begin(self, exchange: Exchange) -> None:
        """A request whose head has come; a head that is not valid is refused here already."""

    def advance(self) -> None:
        """A request is whole now, or refused."""


class RequestReader:
    """Makes exchanges of what it is fed; llhttp calls the `on_…`."""

    def __init__(self, receiver: Receiver, bodies: BodyBudget, limits: Limits) -> None:
        self.exchange: Exchange | None = None
        """The one whose body is coming."""
        self.requests = 0
        """How many have begun."""
        self.is_closed = False
        """Whether nothing that comes is a request any more."""
        self._receiver = receiver
        self._bodies = bodies
        self._limits = limits
        self._most_headers, self._most_bytes = limits.headers, limits.head_bytes
        self._parser = self._new_parser()
        self._url = b""
        self._headers: list[Header] = []
        self._fields: Fields = {}
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
            raise self._no_http(error) from error
        if self._fed > self._limits.head_bytes:
            raise too_large(self._limits)

    def close(self) -> None:
        """Take nothing more for a request."""
        self.is_closed = True
        self.exchange = None

    def on_message_begin(self) -> None:
        self._url, self._headers, self._fields = b"", [], {}
        self._in_head = True
        self.requests += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailer fields (after a chunked body) are not taken for headers: a proxy may have checked the headers alone.
        if self._in_head and len(self._headers) <= self._most_headers:
            name = name.lower()
            self._headers.append((name, value))
            self._fields[name] = value

    def on_headers_complete(self) -> None:
        self._in_head = False
        parser, method = self._parser, self._parser.get_method()
        if self.is_closed:  # the rest of what was received with the last request
            return
        is_offer = parser.should_upgrade()
        if is_offer and method != b"CONNECT":  # comes again, without its offer
            return
        url, headers, fields = self._url, self._headers, self._fields
        keep_alive, refusal = parser.should_keep_alive(), None
        # Only HTTP/1.1 keeps a connection that nothing is said of, and to ask which version it is takes its time.
        speaks_1_1 = (keep_alive and b"connection" not in fields) or parser.get_http_version() == "1.1"
        is_odd = not len(fields) == len(headers) <= self._most_headers or b"host" not in fields or not speaks_1_1
        if is_odd or is_offer or b"transfer-encoding" in fields or self._fed > self._most_bytes:
            fields = by_name(headers)
            head = Head(method, url, parser.get_http_version(), headers, fields, self._fed)
            refusal = fault(head, self._limits)
            keep_alive = keep_alive and speaks_1_1 and refusal is None
        self._fed = 0
        self.exchange = exchange = Exchange(
            self._receiver, method, url, headers, keep_alive, speaks_1_1, path=url, fields=fields, refusal=refusal
        )
        self._receiver.begin(exchange)

    def on_body(self, piece: bytes) -> None:
        self._fed = 0
        exchange = self.exchange
        if exchange is None or exchange.refusal is not None or exchange.is_over:
            return
        if exchange.stream is not None:
            exchange.stream.add(piece)
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
        if exchange is not None:
            self._fed = 0
            self.is_closed = not exchange.keep_alive
            exchange.is_whole = True
            if exchange.stream is not None:
                exchange.stream.end()
            self._receiver.advance()

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # A client that says `Connection: close` and then something more still gets its answer.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _go_on(self, rest: memoryview) -> None:
        """Read on behind a head that offers another protocol, as if it did not; the parser stops behind each."""
        while not self.is_closed:
            try:
                head = self._without_offer()
                self._parser = self._new_parser()
                self._parser.feed_data(head)
                self._parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]

    def _without_offer(self) -> bytes:
        """The head that was just read: only with an `Upgrade` is there an offer, whatever `Connection` says."""
        if len(self._headers) > self._most_headers:  # some were left out: the framing may be among them
            raise too_large(self._limits)
        parser = self._parser
        headers = encode_headers(header for header in self._headers if header[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (
            parser.get_method(),
            self._url,
            parser.get_http_version().encode(),
            headers,
        )

    def _no_http(self, error: httptools.HttpParserError) -> Refused:
        if self._parser.get_method() == b"PRI":  # how HTTP/2 begins
            return unknown_version("2.0")
        return refuse("malformed_request", f"the request is not valid HTTP: {error}", CLOSE)
