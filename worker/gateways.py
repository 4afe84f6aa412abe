"""The worker's door: gateways connect, and their connections are read and written as they can be."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

from .connection import Connection, Request
from .poller import READ, WRITE, Poller


class Gateways:
    """All connections of gateways to this worker."""

    def __init__(
        self, listener: socket.socket, poller: Poller, max_body: int, on_request: Callable[[Request], None]
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._poller = poller
        self._max_body = max_body
        self._on_request = on_request
        self._events: dict[Connection, int] = {}
        self._touched: set[Connection] = set()
        self._accepting = True
        poller.watch(listener.fileno(), lambda _: self._accept())

    @property
    def all_gone(self) -> bool:
        """Whether the door is closed and the last connection too."""
        return not self._accepting and not self._events

    def stop_accepting(self) -> None:
        """Take those that have knocked already, and close the door."""
        if self._accepting:
            self._accept()
            self._accepting = False
            self._poller.forget(self._listener.fileno())
            self._listener.close()

    def close(self) -> None:
        """Close our copies of everything, without a word to the poller or to anyone: for a forked child."""
        self._listener.close()
        for connection in self._events:
            connection.abandon()

    def answer(self, request: Request, status: int, body: bytes) -> None:
        """Have the answer sent by the next `flush`, together with the connection's others."""
        request.connection.answer(request, status, body)
        self._touched.add(request.connection)

    def begin(self, request: Request) -> None:
        """The request no longer counts as one that waits."""
        request.connection.begin(request)
        self._touched.add(request.connection)

    def flush(self) -> None:
        """Send what has gathered."""
        for connection in self._touched:
            connection.flush()
            self._watch_for_what_matters(connection)
        self._touched.clear()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:  # nobody there, or gone again, or no descriptors left: then the gateway tries again
                return
            connection = Connection(sock, self._max_body, self._forget)
            self._events[connection] = READ
            self._poller.watch(sock.fileno(), partial(self._handle, connection))

    def _handle(self, connection: Connection, events: int) -> None:
        if events & ~WRITE:  # hang-ups and errors too: reading tells
            for request in connection.read():
                self._on_request(request)
        self._touched.add(connection)

    def _watch_for_what_matters(self, connection: Connection) -> None:
        if connection.closed:
            return
        events = READ * connection.wants_to_read | WRITE * connection.wants_to_write
        if events != self._events[connection]:
            self._events[connection] = events
            self._poller.change(connection.fileno(), events)

    def _forget(self, connection: Connection) -> None:
        del self._events[connection]
        self._poller.forget(connection.fileno())
