"""Workers' output comes through a process that does nothing but read it, so that a model's `print` never blocks."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

_PROGRAM = Path(__file__).with_name("relay_program.py")
_LIMIT = 1 << 18
_END_S = 5.0


class Relay:
    """Starts the relay's process (`relay_program.py`) when there is something to read, and another one if it ends."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ`: the process's, without our secrets."""
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._closed = False

    @asynccontextmanager
    async def reading(self, source: int) -> AsyncIterator[Printed]:
        """What comes through the pipe `source`, which stays open. Raises OSError."""
        output = Printed(self, source)
        try:
            yield output
        finally:
            output.close()

    async def connect(self, source: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
        """A stream of what the process reads of `source`; of `source` itself once there is no process any more."""
        reader, writer = (os.dup(source), -1) if self._closed else os.pipe()
        try:
            if writer >= 0:
                self._hand_over(source, writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            if writer >= 0:
                os.close(writer)
        stream, loop = asyncio.StreamReader(_LIMIT), asyncio.get_running_loop()
        # uvloop closes the descriptor, and then the file: by then the number may be that of another thread's file
        is_closed_by_loop = type(loop).__module__.partition(".")[0] == "uvloop"
        file = os.fdopen(reader, "rb", buffering=0, closefd=not is_closed_by_loop)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), file)
        return stream, transport

    def close(self) -> None:
        """End the process. What is still printed is read without it."""
        self._closed = True
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.wait(_END_S)

    def _hand_over(self, *pipes: int) -> None:
        if self._process is None or self._process.poll() is not None:
            self._start()
        assert self._control is not None
        try:
            socket.send_fds(self._control, [b"."], pipes)
        except OSError:  # it has only just ended
            self._start()
            socket.send_fds(self._control, [b"."], pipes)

    def _start(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_S)
        if self._control is not None:
            self._control.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_PROGRAM), str(theirs.fileno())],
                env=self._environ,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )


class Printed:
    """What one worker prints."""

    def __init__(self, relay: Relay, source: int) -> None:
        self._relay = relay
        self._source = source
        self._stream: asyncio.StreamReader | None = None
        self._transport: asyncio.ReadTransport | None = None

    async def read(self, most: int) -> bytes:
        """Nothing once nobody can print any more."""
        while True:
            if self._stream is None:
                self._stream, self._transport = await self._relay.connect(self._source)
            if (chunk := await self._stream.read(most)) or _is_over(self._source):
                return chunk
            self.close()  # the process between has ended

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._stream = self._transport = None


def _is_over(pipe: int) -> bool:
    """Whether nobody can write to it any more, and nothing is left in it."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return any(events & select.POLLHUP and not events & select.POLLIN for _, events in poll.poll(0))
