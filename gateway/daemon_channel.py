"""The gateway's end of its channel to the daemon: JSON lines, see `gateway.messages`."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import msgspec

from gateway.messages import ToGateway, decode_to_gateway, encode_message

_LONGEST_LINE = 256 * 1024 * 1024
_MOST_UNREAD = 1024 * 1024
"""Bytes that the daemon has not read, over which counts are no longer reported."""
_CLOSE_S = 1.0


class DaemonLost(Exception):
    """The daemon has gone."""


class MessageUnreadable(Exception):
    """The daemon sent a line that is not a valid message. `serial`: the table's if it can be read, else -1."""

    def __init__(self, serial: int, why: str) -> None:
        super().__init__(why)
        self.serial = serial


class DaemonChannel:
    """Messages from and to the daemon."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, end: socket.socket) -> DaemonChannel:
        return cls(*await asyncio.open_unix_connection(sock=end, limit=_LONGEST_LINE))

    async def receive(self) -> ToGateway:
        """The next message. Raises DaemonLost, and MessageUnreadable, after which there may be more."""
        try:
            line = await self._reader.readline()
        except (OSError, ValueError) as error:
            raise DaemonLost(str(error)) from error
        if not line.endswith(b"\n"):
            raise DaemonLost("the daemon has closed the channel")
        try:
            message: ToGateway = decode_to_gateway(line)
        except msgspec.DecodeError as error:
            raise MessageUnreadable(_serial(line), str(error)) from error
        return message

    def send(self, message: msgspec.Struct) -> None:
        self._writer.write(encode_message(message))

    @property
    def is_clogged(self) -> bool:
        """Whether the daemon is far behind in reading."""
        return self._writer.transport.get_write_buffer_size() > _MOST_UNREAD

    async def close(self) -> None:
        """Let the daemon have what was sent, as far as it reads."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._writer.wait_closed()


class _Numbered(msgspec.Struct):
    serial: int = -1


def _serial(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_Numbered).serial
    except msgspec.DecodeError:
        return -1
