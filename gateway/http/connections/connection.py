"""A client's connection: answers its requests in order, and limits how long each step may take.

Nothing here runs in a task: a request that a worker answers costs its parsing and a few calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import cast

from gateway.http.connections.flow_control import FlowControl
from gateway.http.connections.shared import Shared
from gateway.http.connections.stopwatch import Stopwatch
from gateway.http.exchange import Exchange
from gateway.http.limits import Phase
from gateway.http.reader import RequestReader
from gateway.http.refusals import CLOSE, Refused, failure, refuse

log = logging.getLogger("pawl.gateway")

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """Requests are answered in the order in which they came; while one waits for its turn, no more are read."""

    def __init__(self, shared: Shared) -> None:
        self.date = shared.date
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(self, shared.bodies, shared.limits)
        self._transport: asyncio.Transport
        self._waiting: deque[Exchange] = deque()
        """Those without a complete answer."""
        self._is_told_to_go_on = False
        self._writing = FlowControl()
        self._stopwatch = Stopwatch(shared.limits, self._loop.time)

    # What exchanges ask for.

    @property
    def client(self) -> str:
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if isinstance(peer, tuple) else ""

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def drained(self) -> None:
        await self._writing.wait()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if len(self._waiting) < 2 and not self._transport.is_closing():
            self._transport.resume_reading()

    def finish(self, exchange: Exchange) -> None:
        self._waiting.popleft()
        self._let_go(exchange)
        if not exchange.keep_alive:
            self._part(is_sending=not exchange.is_whole)
        elif self._waiting:
            self._loop.call_soon(self.advance)
            if len(self._waiting) == 1 and not self._reader.is_closed:
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
        self._reader.close()
        self._writing.resume()
        while self._waiting:
            exchange = self._waiting.popleft()
            self._let_go(exchange)
            exchange.leave()

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except Refused as refused:
            self._give_up(refused)
        except Exception:
            log.exception("a failure of Pawl's own, in reading a request")
            self._transport.abort()
        if self._reader.exchange is not None:
            self._encourage(self._reader.exchange)

    def pause_writing(self) -> None:
        self._writing.pause()

    def resume_writing(self) -> None:
        self._writing.resume()
        self.advance()

    # What the reader finds.

    def begin(self, exchange: Exchange) -> None:
        self._is_told_to_go_on = False
        if self._shared.is_stopping:
            exchange.keep_alive = False
        if exchange.refusal is None:
            self._route(exchange)
        self._waiting.append(exchange)
        if len(self._waiting) > 1:
            self._queue()
        elif exchange.refusal is not None or exchange.stream is not None:
            self.advance()

    def advance(self) -> None:
        """Have the first that waits answered, if it has come and its client takes what it is sent."""
        if not self._waiting or self._writing.is_paused:
            return
        exchange = self._waiting[0]
        if exchange.is_taken:
            return
        if exchange.refusal is not None:
            exchange.is_taken = True
            exchange.refuse(exchange.refusal)
        elif exchange.is_whole or exchange.stream is not None:
            exchange.is_taken = True
            if exchange.stream is not None:
                self._encourage(exchange)
            assert exchange.answerer is not None
            try:
                exchange.answerer(exchange)
            except Exception:
                log.exception("a failure of Pawl's own, in beginning to answer a request")
                exchange.fail(failure())
        else:
            self._encourage(exchange)

    # What the server asks for.

    def sweep(self) -> None:
        """Look at the time: end what has lasted too long."""
        self.date = self._shared.date
        phase = self._phase()
        if self._stopwatch.has_run_out(phase, self._come(), self._transport.get_write_buffer_size()):
            self._expire(phase)

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

    def _route(self, exchange: Exchange) -> None:
        try:
            exchange.answerer = self._shared.application.route(exchange)
        except Refused as refused:
            exchange.refusal = refused
        except Exception:
            log.exception("a failure of Pawl's own, in finding who answers a request")
            exchange.refusal = failure()

    def _encourage(self, exchange: Exchange) -> None:
        """Let a client that asked whether to send its body do so."""
        if self._is_told_to_go_on or exchange.is_over or self._waiting[0] is not exchange:
            return
        self._is_told_to_go_on = True
        expects = exchange.fields.get(b"expect", b"").lower() == b"100-continue"
        if expects and exchange.speaks_1_1:
            self._transport.write(_CONTINUE)

    def _give_up(self, refused: Refused) -> None:
        """No more can be read: say so, after what came before."""
        if self._reader.is_closed:
            return
        exchange = self._reader.exchange
        self._reader.close()
        if exchange is not None and exchange.is_over:
            self._transport.close()
            return
        if exchange is None:
            exchange = Exchange(self, b"", b"", [], keep_alive=False, speaks_1_1=False, path=b"")
            self._waiting.append(exchange)
        exchange.keep_alive = False
        exchange.refusal = exchange.refusal or refused
        if exchange.is_taken:
            exchange.fail(refused)
        else:
            self.advance()

    def _queue(self) -> None:
        """Leave what comes behind two requests with the client."""
        self._transport.pause_reading()
        most = self._shared.limits.pipelined
        if len(self._waiting) > most:
            self._give_up(refuse("too_many_at_once", f"at most {most} requests may wait on a connection", CLOSE))

    def _part(self, is_sending: bool) -> None:
        """Read no more. To close on a client that is still sending would be a reset, which may overtake the answer."""
        self._reader.close()
        if is_sending and not self._transport.is_closing():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _let_go(self, exchange: Exchange) -> None:
        self._shared.bodies.release(exchange.size)
        if exchange.stream is not None:
            exchange.stream.drop()

    def _come(self) -> int:
        """What the client has sent so far, as far as it may count on being waited for."""
        stream = self._waiting[0].stream if self._waiting else None
        return self._reader.requests + (0 if stream is None else stream.received)

    def _phase(self) -> Phase:
        if not self._waiting:
            return self._reader.phase
        exchange = self._waiting[0]
        if exchange.is_whole or (exchange.is_taken and exchange.stream is None):
            return Phase.ANSWER
        if exchange.stream is None:
            return Phase.BODY
        return Phase.ANSWER if exchange.stream.is_paused else Phase.STREAM

    def _expire(self, phase: Phase) -> None:
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        elif phase is Phase.HEAD:
            most = self._shared.limits.head_s
            self._give_up(refuse("head_timeout", f"a request's head takes at most {most:g} s", CLOSE))
        elif phase in (Phase.BODY, Phase.STREAM):
            self._give_up(refuse("body_timeout", "the body has not come in time", CLOSE))
        else:
            self._transport.close()
