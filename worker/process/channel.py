"""The worker's end of the channel to the daemon."""

from __future__ import annotations

import socket
from collections import deque

import msgspec

from ..wire.messages import Drain, decode_to_worker, encode_message
from ..wire.spans import Traced

_MAX_UNSENT = 1000
"""Messages kept for a daemon that is slow to read; more are dropped."""
_MAX_UNSENT_SPANS = 500
"""The same of spans, which must not be in the way of what else is to be said."""

_SAY_AT_ONCE_S = 10.0
"""Seconds that a message may take which is sent before the loop runs."""


class DaemonGone(Exception):
    """The other end is closed."""


class Channel:
    """Control messages as lines. Any thread may `say`; all else is for one thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = bytearray()
        self._unsent: deque[msgspec.Struct] = deque()
        self._sending = b""

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read_line(self) -> bytes:
        """The first line, waited for. Raises DaemonGone."""
        self._socket.setblocking(True)
        while b"\n" not in self._received:
            self._receive()
        return self._take_line()

    def say_at_once(self, message: msgspec.Struct) -> None:
        """Send before going on. Raises OSError."""
        self._socket.settimeout(_SAY_AT_ONCE_S)
        self._socket.sendall(encode_message(message))

    def say(self, message: msgspec.Struct) -> None:
        """Have the message sent by the next `flush`; what a daemon doesn't read is dropped at last."""
        if len(self._unsent) < _MAX_UNSENT:
            self._unsent.append(message)

    def say_traced(self, traced: Traced) -> None:
        """As `say`, of what matters less."""
        if len(self._unsent) < _MAX_UNSENT_SPANS:
            self._unsent.append(traced)

    @property
    def unsent(self) -> bool:
        return bool(self._sending or self._unsent)

    def flush(self) -> None:
        """Send as much as goes without waiting. Raises DaemonGone."""
        self._socket.setblocking(False)
        try:
            while self.unsent:
                self._sending = self._sending or encode_message(self._unsent.popleft())
                self._sending = self._sending[self._socket.send(self._sending) :]
        except BlockingIOError:
            pass
        except OSError:
            raise DaemonGone from None

    def receive(self) -> list[Drain]:
        """What the daemon has sent. Raises DaemonGone."""
        self._socket.setblocking(False)
        try:
            self._receive()
        except BlockingIOError:
            return []
        messages = []
        while b"\n" in self._received:
            messages.append(decode_to_worker(self._take_line()))
        return messages

    def _receive(self) -> None:
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise DaemonGone
        self._received += data

    def _take_line(self) -> bytes:
        line, _, rest = self._received.partition(b"\n")
        self._received = rest
        return bytes(line)
