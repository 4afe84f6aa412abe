"""The child's end of the channel to the process of its run."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import msgspec

from ..wire.messages import encode_message


class ParentGone(Exception):
    """The other end is closed."""


class Channel:
    """Messages as lines. For one thread at a time; a forked child has none of it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._unsent = b""
        """The rest of a line that is partly sent."""
        self._told_to_stop = False
        self.is_ours = True
        """False in a forked child."""
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def read_config(self) -> bytes:
        """The first line, waited for. Raises ParentGone."""
        received = bytearray()
        while not received.endswith(b"\n"):
            if not (data := self._socket.recv(65536)):
                raise ParentGone
            received += data
        return bytes(received)

    @property
    def told_to_stop(self) -> bool:
        """Whether the other end has said so, or has gone. Waits for nothing."""
        if self.is_ours and not self._told_to_stop:
            self._told_to_stop = self._has_heard()
        return self._told_to_stop

    def offer(self, message: msgspec.Struct) -> bool:
        """Send as much as goes without waiting. False: nothing was sent, for the other end is slow to read."""
        if not self.is_ours or not self._send_rest():
            return False
        self._unsent = encode_message(message)
        self._send_rest()
        return True

    def say(self, message: msgspec.Struct) -> None:
        """Send before going on; nothing, if the other end has gone."""
        if self.is_ours:
            with suppress(OSError):
                self._socket.sendall(self._unsent + encode_message(message))
                self._unsent = b""

    def _send_rest(self) -> bool:
        """Whether nothing is left to send."""
        with suppress(OSError):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent, socket.MSG_DONTWAIT) :]
        return not self._unsent

    def _has_heard(self) -> bool:
        """There is one message, and its mere coming says it."""
        try:
            self._socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:  # the other end was closed before it read all
            return True
        return True

    def _leave_to_parent(self) -> None:
        self.is_ours = False
        self._socket.close()
