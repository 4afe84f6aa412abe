"""How slowly a client may send and read, and how much it may send."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """What is waited for on a connection."""

    IDLE = "a request"
    HEAD = "the rest of a request's head"
    BODY = "the rest of a request's body"
    STREAM = "more of a body that is passed on while it comes"
    LEFTOVER = "the rest of a body whose request is answered"
    ANSWER = "the answer"
    PARTING = "the client to read why its request is refused, before the connection closes"


@dataclass(frozen=True)
class Limits:
    """What a client may take its time for, and how much it may send."""

    body_s: float
    """Seconds from a request's head to the end of its body."""
    head_s: float = 20.0
    """Seconds from the first byte of a request to the end of its head."""
    idle_s: float = 75.0
    """Seconds between requests: longer than the 60 that nginx keeps an idle upstream connection, so that nginx closes
    it, and no request is sent on a connection that is being closed."""
    stalled_s: float = 60.0
    """Seconds in which a client that has an answer to read must have read some of it, and one that sends a body of any
    size must have sent some more."""
    parting_s: float = 2.0
    """Seconds in which a client whose request is not read to its end may read why."""
    head_bytes: int = 64 * 1024
    """Bytes of a request beside its body: of its head, and, where it comes in chunks, of what stands between two."""
    headers: int = 200
    """Each takes a few bytes to send and some hundred to hold."""
    pipelined: int = 256
    """Requests that may have come before the first of them is answered: those that one read brings."""
    connections: int = 20_000

    def of(self, phase: Phase) -> float:
        """Seconds that a connection may wait in `phase`; how long an answer takes is not the client's doing."""
        match phase:
            case Phase.IDLE:
                return self.idle_s
            case Phase.HEAD:
                return self.head_s
            case Phase.BODY | Phase.LEFTOVER:
                return self.body_s
            case Phase.STREAM:
                return self.stalled_s
            case Phase.ANSWER:
                return math.inf
            case Phase.PARTING:
                return self.parting_s
