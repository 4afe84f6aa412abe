"""The worker's listening socket: accepts gateways' connections, and reads and writes them when they are ready."""

from __future__ import annotations

import socket
from collections import deque
from functools import partial

from .connection import Connection, Request
from .poller import READ, WRITE, Poller


class GatewayListener:
    """The listening socket and all connections of gateways to this worker."""

    def __init__(self, listener: socket.socket, poller: Poller, max_body: int, requests: deque[Request]) -> None:
        """What comes is appended to `requests`."""
        listener.setblocking(False)
        self._listener = listener
        self._poller = poller
        self._max_body = max_body
        self._requests = requests
        self._events: dict[Connection, int] = {}
        self._accepting = True
        poller.watch(listener.fileno(), lambda _: self._accept())

    @property
    def all_gone(self) -> bool:
        """Whether the listening socket is closed, and the last connection too."""
        return not self._accepting and not self._events

    def stop_accepting(self) -> None:
        """Accept the connections that are in the backlog already, and close the listening socket."""
        if self._accepting:
            self._accept()
            self._accepting = False
            self._poller.forget(self._listener.fileno())
            self._listener.close()

    def close(self) -> None:
        """Close this process's copies of all descriptors and leave the poller as it is: for a forked child, whose epoll
        descriptor is shared with its parent."""
        self._listener.close()
        for connection in self._events:
            connection.abandon()

    def flush(self) -> None:
        """Send what has gathered. They are few: one for each gateway."""
        for connection, events in tuple(self._events.items()):
            if not events & WRITE:  # else it has not taken what it was sent, and says so when it has
                connection.flush()
            self._watch_for_what_matters(connection)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:  # nobody there, or gone again, or no descriptors left: then the gateway tries again
                return
            connection = Connection(sock, self._max_body, self._requests, self._forget)
            self._events[connection] = READ
            self._poller.watch(sock.fileno(), partial(self._handle, connection))

    def _handle(self, connection: Connection, events: int) -> None:
        if events & ~WRITE:  # hang-ups and errors too: reading tells
            connection.read()
        if events & WRITE:
            connection.flush()

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
