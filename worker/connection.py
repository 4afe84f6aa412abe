"""A gateway's connection, as the worker holds it: requests come in, answers gather until they are sent together."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

from .protocol import Frame, FrameError, FrameReader, Kind, pack_frame

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


class Request:
    """One request, until it is answered or its caller has gone."""

    __slots__ = ("body", "connection", "deadline_ns", "gone", "id")

    def __init__(self, connection: Connection, frame: Frame) -> None:
        self.connection = connection
        self.id = frame.id
        self.deadline_ns = frame.deadline_ns
        self.body = frame.body
        self.gone = False
        """Whether nobody waits for the answer any more."""


class Connection:
    """Never blocks; after `close` it takes answers and drops them."""

    def __init__(self, sock: socket.socket, max_body: int, on_close: Callable[[Connection], None]) -> None:
        """`on_close` is called just before the socket is closed, once."""
        sock.setblocking(False)
        self._socket = sock
        self._frames = FrameReader(max_body)
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

    def read(self) -> Iterator[Request]:
        """The requests that have come. Closes where the gateway has, or talks nonsense."""
        try:
            for _ in range(_MAX_CHUNKS):
                at_most = max(_CHUNK, min(self._frames.missing, _LARGE_CHUNK))
                data = self._socket.recv(at_most)
                if not data:
                    self.close()
                    return
                yield from self._requests(data)
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
        self._answers.append(pack_frame(Kind.ANSWER, request.id, body, status=status))
        self._unsent_bytes += len(self._answers[-1])
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

    def _requests(self, data: bytes) -> Iterator[Request]:
        for frame in self._frames.feed(data):
            if frame.kind == Kind.REQUEST:
                yield self._opened(frame)
            elif frame.kind == Kind.CANCEL:
                self._forget(frame.id)
            else:
                raise FrameError(f"a gateway sent a frame of kind {frame.kind}")

    def _opened(self, frame: Frame) -> Request:
        if frame.id in self._open:
            raise FrameError(f"request {frame.id} was sent twice")
        request = self._open[frame.id] = Request(self, frame)
        self._unbegun_bytes += len(request.body) + _REQUEST_BYTES
        return request

    def _forget(self, id: int) -> None:
        request = self._open.pop(id, None)  # it may have been answered meanwhile
        if request is not None:
            request.gone = True
