"""A point at which code in a pod waits until a test lets it go on."""

from __future__ import annotations

import socket

from tests.waiting import PATIENCE_S

WAIT = """
import socket

def wait(gate):
    if gate:
        host, port = gate.split(":")
        with socket.create_connection((host, int(port))) as test:
            test.recv(1)
"""
"""`wait(gate)` of the author's code."""


class Gate:
    """For one attempt after the other."""

    def __init__(self, host: str) -> None:
        """`host`: an address of this machine, as pods see it."""
        self._listener = socket.create_server((host, 0))
        self._listener.settimeout(PATIENCE_S)
        self.address = f"{host}:{self._listener.getsockname()[1]}"
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
