"""The worker's end of a gateway's connection: reads requests, and gathers answers to send them together."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

import msgspec

from ..formats.codecs import CODECS
from ..wire.frames import HEADER_SIZE, FrameError, FrameReader, Kind, pack_header

_REQUEST, _ANSWER, _CANCEL = Kind
"""Looking a member up in its class takes longer than comparing it."""

_CHUNK = 1 << 16
_LARGE_CHUNK = 1 << 18
"""Where a body is known to go on: about what the kernel holds of a socket."""
_MAX_CHUNKS = 16
"""Read from one connection before the others have their turn."""

_PAUSE_UNSENT = 8 << 20
_MAX_UNSENT = 512 << 20
"""Bytes of answers not taken: over the first no more is read from that gateway, over the second it is given up."""

_PAUSE_UNBEGUN = 64 << 20
"""Bytes of requests not begun over which no more is read from that gateway."""

_REQUEST_BYTES = 1 << 10
"""What a request takes beside its body, so that empty ones are bounded too."""


class Request(msgspec.Struct, eq=False):
    """One request, until it is answered or its caller has gone."""

    connection: Connection
    id: int
    deadline_ns: int
    format: int
    """Of the body: one of `CODECS`."""
    body: bytes
    begun_ns: int = 0
    """When it was begun, in `time.monotonic_ns()`; 0 before."""
    gone: bool = False
    """Whether nobody waits for the answer any more."""


class Connection:
    """Never blocks; after `close` it takes answers and drops them."""

    def __init__(
        self,
        sock: socket.socket,
        max_body: int,
        requests: deque[Request],
        on_close: Callable[[Connection], None],
    ) -> None:
        """What comes is appended to `requests`. `on_close` is called just before the socket is closed, once."""
        sock.setblocking(False)
        self._socket = sock
        self._frames = FrameReader(max_body)
        self._requests = requests
        self._on_close = on_close
        self._open: dict[int, Request] = {}
        self._answers: list[bytes] = []
        self._unsent = memoryview(b"")
        self._unsent_bytes = 0
        self._unbegun_bytes = 0
        self.closed = False

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants_to_read(self) -> bool:
        return self._unsent_bytes < _PAUSE_UNSENT and self._unbegun_bytes < _PAUSE_UNBEGUN

    @property
    def wants_to_write(self) -> bool:
        return self._unsent_bytes > 0

    def read(self) -> None:
        """Take what has come. Closes where the gateway has, or talks nonsense."""
        try:
            for _ in range(_MAX_CHUNKS):
                at_most = max(_CHUNK, min(self._frames.missing, _LARGE_CHUNK))
                data = self._socket.recv(at_most)
                if not data:
                    self.close()
                    return
                self._take(data)
                if len(data) < at_most:
                    return
        except BlockingIOError:
            return
        except (OSError, FrameError):
            self.close()

    def begin(self, request: Request) -> None:
        """The request is no longer one that waits."""
        self._unbegun_bytes -= len(request.body) + _REQUEST_BYTES

    def answer(self, request: Request, status: int, body: bytes) -> None:
        """Have the answer sent by the next `flush`, if somebody waits for it."""
        if request.gone:
            return
        del self._open[request.id]
        self._answers += pack_header(len(body), request.id, request.begun_ns, status, _ANSWER), body
        self._unsent_bytes += HEADER_SIZE + len(body)
        if self._unsent_bytes > _MAX_UNSENT:
            self.close()

    def flush(self) -> None:
        """Send as much as goes without waiting."""
        if self.closed:
            return
        try:
            while self._unsent_bytes:
                if not self._unsent:
                    self._unsent = memoryview(b"".join(self._answers))
                    self._answers.clear()
                sent = self._socket.send(self._unsent)
                self._unsent = self._unsent[sent:]
                self._unsent_bytes -= sent
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def close(self) -> None:
        """Requests that are under way finish, and their answers are dropped."""
        if self.closed:
            return
        self.closed = True
        self._on_close(self)
        self._socket.close()
        for request in self._open.values():
            request.gone = True
        self._open.clear()
        self._answers.clear()
        self._unsent, self._unsent_bytes = memoryview(b""), 0

    def abandon(self) -> None:
        """Close this process's copy of the socket and nothing else: for a forked child."""
        self._socket.close()

    def _take(self, data: bytes) -> None:
        for id, deadline_ns, format, kind, body in self._frames.feed(data):
            if kind == _REQUEST:
                if id in self._open:
                    raise FrameError(f"request {id} was sent twice")
                if format not in CODECS:
                    raise FrameError(f"request {id} is in the format {format}, which is unknown here")
                request = self._open[id] = Request(self, id, deadline_ns, format, body)
                self._unbegun_bytes += len(body) + _REQUEST_BYTES
                self._requests.append(request)
            elif kind == _CANCEL:
                self._forget(id)
            else:
                raise FrameError(f"a gateway sent a frame of kind {kind}")

    def _forget(self, id: int) -> None:
        request = self._open.pop(id, None)  # it may have been answered meanwhile
        if request is not None:
            request.gone = True
