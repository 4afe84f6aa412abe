"""`python -m gateway LISTEN_FD CONTROL_FD`: a gateway on sockets that the daemon hands down."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import resource
import signal
import socket
import sys

import uvloop

from core.process.logs import start_logging
from gateway.assembly import build_gateway
from gateway.daemon_channel import DaemonChannel, DaemonLost
from gateway.messages import GatewayConfig
from worker.wire.memory import keep_what_is_freed

log = logging.getLogger("pawl.gateway")

_PR_SET_PDEATHSIG = 1


def main() -> None:
    _die_with_parent()
    # Ctrl-C, and a terminal's end, may reach every process; the daemon decides when a gateway stops.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    start_logging("warning", f"gateway {os.getpid()}")
    _allow_many_connections()
    keep_what_is_freed()
    listener, channel = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:3])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener, channel))


async def _serve(listener: socket.socket, channel_socket: socket.socket) -> None:
    """Answer HTTP on `listener` until the daemon at the other end of `channel_socket` says stop, or is gone."""
    channel = await DaemonChannel.open(channel_socket)
    try:
        config = await channel.receive()
        if not isinstance(config, GatewayConfig):
            raise DaemonLost("the first message must be the configuration")
        await build_gateway(config, channel).serve(listener)
    except* DaemonLost as lost:
        # The daemon is gone, and the workers with it.
        log.warning("stopping at once: %s", lost.exceptions[0])


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the daemon has gone")


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
