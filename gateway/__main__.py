"""`python -m gateway LISTEN_FD CONTROL_FD`: a gateway on sockets that the daemon hands down."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import socket
import sys

import uvloop

from core.process.logs import start_logging
from gateway.assembly import serve
from worker.wire.memory import keep_what_is_freed

_PR_SET_PDEATHSIG = 1


def main() -> None:
    _die_with_parent()
    # Ctrl-C reaches every process of the terminal; the daemon decides when a gateway stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start_logging("warning", f"gateway {os.getpid()}")
    _allow_many_connections()
    keep_what_is_freed()
    listener, channel = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:3])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(listener, channel))


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
