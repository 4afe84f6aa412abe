"""A gateway's process, as the daemon sees it: started, told what to route by, ended when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import server
from core.broadcast import Broadcast
from core.process.ends import end_of, ends_within
from gateway.messages import (
    Acknowledged,
    FromGateway,
    GatewayConfig,
    Started,
    Stop,
    Table,
    TableRejected,
    decode_from_gateway,
    encode_message,
)
from server.gateways.channel import JsonLines

log = logging.getLogger("pawl.gateway")

ROOT = Path(server.__file__).parents[1]
ACKNOWLEDGE_S = 5.0
"""A gateway that has not taken a table by then is replaced."""
SILENT_S = 10.0
"""A gateway that has said nothing for as long hangs, and is replaced."""
START_S = 30.0
"""The same for one that has yet to take its first table: on a busy machine Python may take long to start."""


class Gateway:
    """One gateway process."""

    def __init__(
        self, process: subprocess.Popen[bytes], lines: JsonLines, acknowledge_s: float = ACKNOWLEDGE_S
    ) -> None:
        self.process = process
        self.acknowledged = -1
        """Serial of the newest table that it routes by; negative before it serves."""
        self.heard = time.monotonic()
        self._sent = -1
        """Serial of the newest table that was sent."""
        self._offered: Table | None = None
        """A newer one, which is sent once that one is acknowledged: tables that come faster are left out."""
        self._lines = lines
        self._acknowledge_s = acknowledge_s
        self._news = Broadcast()

    @classmethod
    async def start(cls, listener: socket.socket, config: GatewayConfig, environ: Mapping[str, str]) -> Gateway:
        lines = await JsonLines.open()
        with lines.theirs as theirs:
            process = _run(listener, theirs, environ)
        gateway = cls(process, lines)
        gateway.send(config)
        return gateway

    def send(self, message: GatewayConfig | Table | Started | Stop) -> None:
        self._lines.send(encode_message(message))

    def offer(self, table: Table) -> None:
        """Have it route by the table, or by a newer one."""
        if self.acknowledged < self._sent:
            self._offered = table
        else:
            self._sent, self._offered = table.serial, None
            self.send(table)

    async def listen(self, take: Callable[[Gateway, FromGateway], None]) -> None:
        """Take its messages until it ends."""
        try:
            async for line in self._lines:
                self.heard = time.monotonic()
                message = decode_from_gateway(line)
                if isinstance(message, TableRejected):
                    log.error("gateway %d keeps the route table that it has: %s", self.process.pid, message.why)
                if isinstance(message, Acknowledged | TableRejected):
                    self._take_acknowledgement(message.serial)
                else:
                    take(self, message)
            await self._end()
        finally:
            self.close()

    def close(self) -> None:
        """Close our end of the channel."""
        self._lines.close()

    async def _end(self) -> None:
        """It has closed its channel, so it ends, or is ended."""
        if not await ends_within(self.process, self._acknowledge_s):
            self.kill()
            await end_of(self.process)
        self._offered = None
        self._take_acknowledgement(sys.maxsize)

    def is_silent(self, now: float) -> bool:
        """Whether it has said nothing for longer than one that works would."""
        return now - self.heard > (START_S if self.acknowledged < 0 else SILENT_S)

    async def routes_by(self, serial: int) -> None:
        """Return once it routes by the table of that serial, or has ended. Ends it if it takes too long over one."""
        try:
            while self.acknowledged < serial:
                patience_s = START_S if self.acknowledged < 0 else self._acknowledge_s
                async with asyncio.timeout(patience_s):  # not wait_for, which would begin to wait a turn later
                    await self._news.wait()
        except TimeoutError:
            log.error("gateway %d did not take a new route table in %g s; replacing it", self.process.pid, patience_s)
            self.kill()
            await end_of(self.process)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)

    async def stop(self, timeout_s: float) -> None:
        """Let it finish what is in flight."""
        self.send(Stop())
        if not await ends_within(self.process, timeout_s):
            log.warning("gateway %d still had requests after %g s and was ended", self.process.pid, timeout_s)
            self.kill()
            await end_of(self.process)

    def _take_acknowledgement(self, serial: int) -> None:
        self.acknowledged = max(self.acknowledged, serial)
        self._news.send()
        if self._offered is not None:
            self.offer(self._offered)


def _run(listener: socket.socket, channel: socket.socket, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", str(listener.fileno()), str(channel.fileno())],
        cwd=ROOT,
        env=environ,
        pass_fds=(listener.fileno(), channel.fileno()),
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # signals to our group are ours: a gateway stops when it is told
    )
