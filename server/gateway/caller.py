"""A client's connection: uvicorn's, with limits on how slowly and how much a client may send before it is a request."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from server.gateway.cork import CorkedTransport
from server.gateway.refusal import Refused, refuse

SWEEP_S = 0.5
"""Seconds between two looks at every connection: how late a limit may bite."""


class Phase(Enum):
    """What is waited for on a connection."""

    IDLE = "a request"
    HEAD = "the rest of a request's head"
    BODY = "the rest of a request's body"
    LEFTOVER = "the rest of a body whose request is answered"
    ANSWER = "the answer"


@dataclass(frozen=True)
class CallerLimits:
    """What a client may take its time for."""

    body_s: float
    """Seconds from a request's head to the end of its body."""
    head_s: float = 20.0
    """Seconds from the first byte of a request to the end of its head."""
    idle_s: float = 75.0
    """Seconds between requests: longer than the 60 that nginx keeps an idle upstream connection, so that it is nginx
    who closes, and never a request who meets a closing connection."""
    stalled_s: float = 60.0
    """Seconds in which a client that has an answer to read must have read some of it."""
    head_bytes: int = 64 * 1024
    connections: int = 20_000

    def of(self, phase: Phase) -> float:
        """Seconds that a connection may wait in `phase`; how long an answer takes is not the client's doing."""
        if phase is Phase.IDLE:
            return self.idle_s
        if phase is Phase.HEAD:
            return self.head_s
        return math.inf if phase is Phase.ANSWER else self.body_s


class Caller:
    """The client of a connection as the application sees it, in `scope["state"]`: whether it is still there.

    The application names the task that answers it; that task is cancelled when the client goes or is too slow.
    """

    __slots__ = ("gone", "late", "task")

    def __init__(self) -> None:
        self.gone = False
        self.late = False
        self.task: asyncio.Task[Any] | None = None

    def leave(self) -> None:
        self.gone = True
        self._cancel()

    def dawdle(self) -> None:
        self.late = True
        self._cancel()

    def _cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


class CallerConnection(HttpToolsProtocol):
    """uvicorn times nothing but the pause after an answer; `sweep`, called for every connection now and then, does."""

    def __init__(
        self,
        limits: CallerLimits,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._caller = Caller()
        super().__init__(config, server_state, {"caller": self._caller}, _loop)
        self._limits = limits
        self._head_bytes = 0
        self._since = self.loop.time()
        self._seen: tuple[Phase, Any, int] = (Phase.IDLE, None, 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, CorkedTransport(transport, self.loop)))
        if len(self.connections) > self._limits.connections:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._caller.leave()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._has_whole_head():
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > self._limits.head_bytes:
            self._end(refuse(431, "head_too_large", f"a request's head has at most {self._limits.head_bytes} bytes"))

    def send_400_response(self, msg: str) -> None:
        self._end(refuse(400, "malformed_request", msg))

    def sweep(self) -> None:
        """End what has lasted too long."""
        seen = (self._phase(), self.scope, self.transport.get_write_buffer_size())
        if seen[0] is not self._seen[0] or seen[1] is not self._seen[1] or seen[2] != self._seen[2]:
            self._seen, self._since = seen, self.loop.time()
        elif self.loop.time() - self._since > self._limit(seen[0], seen[2]):
            self._expire(seen[0])

    def _has_whole_head(self) -> bool:
        """Whether the newest request has one; uvicorn begins a scope with its first byte, a cycle after its head."""
        return self.scope is (self.cycle and self.cycle.scope)

    def _phase(self) -> Phase:
        if not self._has_whole_head():
            return Phase.HEAD
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return Phase.IDLE
        if cycle.response_complete:
            return Phase.LEFTOVER if cycle.more_body else Phase.IDLE
        return Phase.BODY if cycle.more_body else Phase.ANSWER

    def _limit(self, phase: Phase, unread: int) -> float:
        if unread:
            return self._limits.stalled_s
        return self._limits.of(phase)

    def _expire(self, phase: Phase) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif phase is Phase.HEAD:
            self._end(refuse(408, "head_timeout", f"a request's head takes at most {self._limits.head_s:g} s"))
        elif phase is Phase.BODY:
            self._caller.dawdle()
        else:
            self.transport.close()

    def _end(self, refused: Refused) -> None:
        """Answer what is no request yet, unless a request before it is still to be answered, and close."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                STATUS_LINE[refused.status]
                + b"content-type: application/json\r\nconnection: close\r\n"
                + b"content-length: %d\r\n\r\n" % len(refused.body)
                + refused.body
            )
        self.transport.close()
