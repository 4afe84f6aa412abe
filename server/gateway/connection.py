"""A client's connection: HTTP/1.1 by llhttp (httptools), within limits.

Nothing here runs in a task: a request that a worker answers costs its parsing and a few calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol, cast

import httptools

from server.gateway.body import Bodies
from server.gateway.exchange import Answerer, Exchange, Header
from server.gateway.limits import Limits, Phase
from server.gateway.refusal import CLOSE, Refused, failure, refuse

log = logging.getLogger("pawl.gateway")

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Application(Protocol):
    """Who answers."""

    def route(self, exchange: Exchange) -> Answerer:
        """Who answers a request of which only the head has come. Raises Refused where nobody does."""


@dataclass
class Shared:
    """What all connections of a server have in common."""

    application: Application
    bodies: Bodies
    limits: Limits
    date: bytes
    """The header's line."""
    connections: set[Connection] = field(default_factory=set)
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last connection closes."""
    is_stopping: bool = False


class Connection(asyncio.Protocol):
    """Requests are answered in the order in which they came; while one waits for its turn, no more are read."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # A client that says `Connection: close` and then something more still gets its answer.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: list[Header] = []
        self._fed = 0
        """Bytes received since a head, a piece of a body or a request was last whole."""
        self._requests = 0
        self._in_head = False
        self._is_deaf = False
        """Whether nothing that comes is a request any more."""
        self._reading: Exchange | None = None
        """The one whose body is coming."""
        self._waiting: deque[Exchange] = deque()
        """Those without a complete answer."""
        self._is_told_to_go_on = False
        self._drained: asyncio.Future[None] | None = None
        """Unless the client takes what is written."""
        self._since = self._loop.time()
        self._seen: tuple[Phase, int, int] = (Phase.IDLE, 0, 0)

    # What exchanges ask for.

    @property
    def date(self) -> bytes:
        return self._shared.date

    @property
    def client(self) -> str:
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if isinstance(peer, tuple) else ""

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def drained(self) -> None:
        if self._drained is not None:
            await asyncio.shield(self._drained)

    def finish(self, exchange: Exchange) -> None:
        self._waiting.popleft()
        self._shared.bodies.release(exchange.size)
        if not exchange.keep_alive:
            self._part(is_sending=not exchange.is_whole)
        elif self._waiting:
            self._loop.call_soon(self._advance)
            if len(self._waiting) == 1 and not self._is_deaf:
                self._transport.resume_reading()

    def abort(self) -> None:
        self._transport.abort()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._shared.connections.add(self)
        if len(self._shared.connections) > self._shared.limits.connections:
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self._shared.connections.discard(self)
        if not self._shared.connections:
            self._shared.emptied.set()
        self._is_deaf = True
        self._let_write()
        while self._waiting:
            exchange = self._waiting.popleft()
            self._shared.bodies.release(exchange.size)
            exchange.leave()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self._fed += len(data)
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._go_on(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            log.exception("a failure of Pawl's own, in reading a request")
            self._transport.abort()
        except httptools.HttpParserError as error:
            self._give_up(refuse(400, "malformed_request", f"this is no HTTP: {error}", CLOSE))
        if self._fed > self._shared.limits.head_bytes:
            self._give_up(self._too_large_a_head())
        if self._reading is not None:
            self._encourage(self._reading)

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        self._let_write()
        self._advance()

    # What the parser finds.

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []
        self._in_head = True
        self._requests += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body in chunks is no header: nobody in front of us has looked at it.
        if self._in_head and len(self._headers) <= self._shared.limits.headers:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._is_deaf:  # the rest of what was received with the last request
            return
        parser, shared = self._parser, self._shared
        speaks_1_1 = parser.get_http_version() >= "1.1"
        keep_alive = speaks_1_1 and parser.should_keep_alive() and not shared.is_stopping
        exchange = self._reading = Exchange(self, parser.get_method(), self._url, self._headers, keep_alive, speaks_1_1)
        self._is_told_to_go_on = False
        try:
            self._check_head()
            exchange.answerer = shared.application.route(exchange)
        except Refused as refused:
            exchange.refusal = refused
        except Exception:
            log.exception("a failure of Pawl's own, in finding who answers a request")
            exchange.refusal = failure()
        self._waiting.append(exchange)
        if len(self._waiting) > 1:
            self._queue()
        elif exchange.refusal is not None:
            self._advance()

    def on_body(self, piece: bytes) -> None:
        self._fed = 0
        exchange = self._reading
        if exchange is None or exchange.refusal is not None or exchange.is_over:
            return
        try:
            self._shared.bodies.take(exchange.size, len(piece))
        except Refused as refused:
            exchange.refusal = refused
            self._advance()
        else:
            exchange.add(piece)

    def on_message_complete(self) -> None:
        exchange, self._reading = self._reading, None
        self._fed = 0
        if exchange is not None:
            exchange.is_whole = True
            self._advance()

    # What the server asks for.

    def sweep(self) -> None:
        """End what has lasted too long."""
        seen = (self._phase(), self._requests, self._transport.get_write_buffer_size())
        if seen != self._seen:
            self._seen, self._since = seen, self._loop.time()
        elif self._loop.time() - self._since > self._limit(*seen):
            self._expire(seen[0])

    def stop(self) -> None:
        """Answer what has come, then close."""
        if self._waiting:
            self._waiting[-1].keep_alive = False
        elif self._phase() is not Phase.HEAD:
            self._transport.close()

    def cut(self, refused: Refused) -> None:
        """Answer what has come with `refused`, and close."""
        if self._waiting:
            self._waiting[0].keep_alive = False
            self._waiting[0].fail(refused)
        self._transport.close()

    def _advance(self) -> None:
        """Have the first that waits answered, if it has come and its client takes what it is sent."""
        if not self._waiting or self._drained is not None:
            return
        exchange = self._waiting[0]
        if exchange.is_taken:
            return
        if exchange.refusal is not None:
            exchange.is_taken = True
            exchange.refuse(exchange.refusal)
        elif exchange.is_whole:
            exchange.is_taken = True
            assert exchange.answerer is not None
            try:
                exchange.answerer(exchange)
            except Exception:
                log.exception("a failure of Pawl's own, in beginning to answer a request")
                exchange.fail(failure())
        else:
            self._encourage(exchange)

    def _encourage(self, exchange: Exchange) -> None:
        """Let a client that asked whether to send its body do so."""
        if self._is_told_to_go_on or exchange.is_over or self._waiting[0] is not exchange:
            return
        self._is_told_to_go_on = True
        expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in exchange.headers)
        if expects and exchange.speaks_1_1:
            self._transport.write(_CONTINUE)

    def _give_up(self, refused: Refused) -> None:
        """No more can be read: say so, after what came before."""
        if self._is_deaf:
            return
        self._is_deaf = True
        exchange, self._reading = self._reading, None
        if exchange is not None and exchange.is_over:
            self._transport.close()
            return
        if exchange is None:
            exchange = Exchange(self, b"", b"", [], keep_alive=False, speaks_1_1=False)
            self._waiting.append(exchange)
        exchange.keep_alive = False
        exchange.refusal = exchange.refusal or refused
        self._advance()

    def _go_on(self, rest: memoryview) -> None:
        """What asks for another protocol is answered as if it had not; each is where the parser stops."""
        while rest and not self._is_deaf:
            try:
                self._parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]

    def _queue(self) -> None:
        """Leave what comes behind two requests with the client."""
        self._transport.pause_reading()
        most = self._shared.limits.pipelined
        if len(self._waiting) > most:
            self._give_up(refuse(503, "too_many_at_once", f"at most {most} requests may wait on a connection", CLOSE))

    def _part(self, is_sending: bool) -> None:
        """Read no more. To close on a client that is still sending would be a reset, which may overtake the answer."""
        self._is_deaf = True
        if is_sending and not self._transport.is_closing():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _let_write(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.set_result(None)

    def _check_head(self) -> None:
        """What comes in one piece has no length until it is parsed."""
        fed, self._fed = self._fed, 0
        if len(self._headers) > self._shared.limits.headers:
            raise self._too_large_a_head()
        if fed > self._shared.limits.head_bytes:
            length = len(self._url) + sum(len(name) + len(value) for name, value in self._headers)
            if length > self._shared.limits.head_bytes:
                raise self._too_large_a_head()

    def _too_large_a_head(self) -> Refused:
        limits = self._shared.limits
        most = f"{limits.head_bytes} bytes beside its body, and {limits.headers} headers"
        return refuse(431, "head_too_large", f"a request has at most {most}", CLOSE)

    def _phase(self) -> Phase:
        if self._waiting:
            return Phase.ANSWER if self._waiting[0].is_whole or self._waiting[0].is_taken else Phase.BODY
        if self._is_deaf:
            return Phase.PARTING
        if self._reading is not None:
            return Phase.LEFTOVER
        return Phase.HEAD if self._in_head else Phase.IDLE

    def _limit(self, phase: Phase, _: int, unread: int) -> float:
        return self._shared.limits.stalled_s if unread else self._shared.limits.of(phase)

    def _expire(self, phase: Phase) -> None:
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        elif phase is Phase.HEAD:
            most = self._shared.limits.head_s
            self._give_up(refuse(408, "head_timeout", f"a request's head takes at most {most:g} s", CLOSE))
        elif phase is Phase.BODY:
            self._give_up(refuse(408, "body_timeout", "the body has not come in time", CLOSE))
        else:
            self._transport.close()
