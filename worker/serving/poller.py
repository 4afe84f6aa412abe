"""Which sockets are ready, by epoll."""

from __future__ import annotations

import select
from collections.abc import Callable

READ, WRITE = select.EPOLLIN, select.EPOLLOUT

Handle = Callable[[int], None]
"""Gets the events that have come."""


class Poller:
    """Calls a handler for each descriptor that is ready."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handle] = {}

    def close(self) -> None:
        self._epoll.close()

    def watch(self, fd: int, handle: Handle) -> None:
        """Watch for what can be read."""
        self._handlers[fd] = handle
        self._epoll.register(fd, READ)

    def change(self, fd: int, events: int) -> None:
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """To be called before the descriptor is closed: where a child that the author's code forked has a copy of it,
        epoll would go on reporting events for that copy."""
        self._handlers.pop(fd)
        self._epoll.unregister(fd)

    def wait(self, timeout_s: float | None) -> None:
        """Handle what is ready, waiting for it at most so long (None: until something is)."""
        for fd, events in self._epoll.poll(timeout_s):
            handle = self._handlers.get(fd)  # one handler may have forgotten another's
            if handle is not None:
                handle(events)
