"""A point at which code in a pod waits until a test lets it go on."""

from __future__ import annotations

import socket

from tests.serving import PATIENCE_S

WAIT = """
import socket

def wait(port):
    if port:
        with socket.create_connection(("127.0.0.1", port)) as test:
            test.recv(1)
"""
"""`wait(port)` of the author's code."""


class Gate:
    """For one attempt after the other."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.port: int = self._listener.getsockname()[1]
        self._waiting: list[socket.socket] = []

    def reached(self) -> None:
        """Returns once an attempt waits."""
        self._waiting.append(self._listener.accept()[0])

    def open(self) -> None:
        """Those that wait go on."""
        for one in self._waiting:
            one.close()
        self._waiting.clear()

    def close(self) -> None:
        self.open()
        self._listener.close()
