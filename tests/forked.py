"""Servers that are forked off one process, which has imported all that a server does: that is most of a start's work.

`python -m server` runs no other code than they do. In `ps`, and in `/proc/PID/environ`, they look like that process.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[1]
_PROGRAM = "import sys; from tests.forked import fork_servers; fork_servers(int(sys.argv[1]))"
_LONGEST = 1 << 20
_IMPORTED = (
    "server.__main__",
    "server.assembly",
    "registry.database",
    "registry.transaction",
    "alembic.command",
    "alembic.config",
)


class ForkedServer:
    """Its process; what is there of `subprocess.Popen`'s interface is as there."""

    def __init__(self, pid: int, stdout: IO[str], end: socket.socket) -> None:
        """`end`: tells the exit status in the end."""
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = stdout
        self._end = end

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired("a forked server", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], timeout_s)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._end.recv(100)))
            self._end.close()
        return self.returncode


class Forks:
    """The process that they are forked off."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), "-m", "server"],
                cwd=_ROOT,
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def start(self, cwd: Path, environ: Mapping[str, str]) -> ForkedServer:
        """A server there, with that environment; standard output and standard error are one."""
        reading, writing = os.pipe()
        end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            request = json.dumps([str(cwd), dict(environ)]).encode()
            socket.send_fds(self._control, [request], [writing, theirs.fileno()])
            os.close(writing)
        told = end.recv(100)
        assert told, "the process that servers are forked off has ended"
        return ForkedServer(int(told), os.fdopen(reading, encoding="utf-8", errors="replace"), end)

    def close(self) -> None:
        self._control.close()
        self._process.wait()


def forks() -> Forks:
    """Those of this process, which tests share; begun anew where a test has ended them."""
    if not _running or not _running[-1].is_running:
        _running.append(Forks())
        atexit.register(_running[-1].close)
    return _running[-1]


_running: list[Forks] = []


def fork_servers(descriptor: int) -> None:
    """Until nobody asks any more."""
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=descriptor)
    running: dict[int, tuple[int, socket.socket]] = {}
    """By the handle of each: its process, and where its end is told."""
    while True:
        for ready in select.select([control, *running], [], [])[0]:
            if ready is control:
                request, received, _, _ = socket.recv_fds(control, _LONGEST, 2)
                if not request:
                    return
                writing, end = received
                pid = os.fork()
                if pid == 0:
                    _serve(writing, *json.loads(request))
                os.close(writing)
                told = socket.socket(fileno=end)
                running[os.pidfd_open(pid)] = pid, told
                told.send(str(pid).encode())
            else:
                pid, told = running.pop(ready)
                os.close(ready)
                with told:
                    told.send(str(os.waitpid(pid, 0)[1]).encode())


def _serve(output: int, cwd: str, environ: dict[str, str]) -> None:
    """As `python -m server`; does not return."""
    code = 1
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 4096)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environ)
        time.tzset()
        from server.__main__ import main

        sys.argv[1:] = []
        code = main([])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
