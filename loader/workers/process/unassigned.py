"""A worker's process without a model: it has imported what every worker needs, and waits for its config."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import worker
from core.process.descendants import Descendants, mark_child
from core.process.ends import ends_within
from worker.wire.status_page import StatusPage, new_page

BOOT = Path(worker.__file__).with_name("boot.py")
_MAX_MESSAGE = 16 * 1024 * 1024
END_S = 10.0
"""How long the end of a killed process may take."""
_PAUSE_S = 0.02
_QUIET_LOOKS = 2
"""One may miss a process that ends as soon as it has started another."""
_NO_USE = frozenset("ZXTt")
"""States of a process (proc_pid_stat(5)) that has ended, or that somebody has stopped."""


@dataclass(frozen=True)
class UnassignedProcess:
    """The process, and the channel over which it gets its config."""

    process: subprocess.Popen[bytes]
    status_page: StatusPage
    reader: asyncio.StreamReader
    control: asyncio.StreamWriter
    output: FileIO
    """The pipe through which comes what it prints."""
    descendants: Descendants | None
    """The process, and all that it starts; None where they can't be marked."""

    @property
    def usable(self) -> bool:
        """Whether it runs, or will: one that has only just been started has it all to do."""
        return self.process.poll() is None and _state(self.process.pid) not in _NO_USE

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it (SIGSTOP, a debugger)."""
        return _state(self.process.pid) in "Tt"

    async def ended(self, within_s: float) -> bool:
        """Wait for its end; whether it came in time."""
        return await ends_within(self.process, within_s)

    def kill(self) -> int:
        """The process and all that it has started; how many of them lived. What they start in the same moment is for
        `end` to find."""
        if self.process.poll() is None or self.descendants is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.descendants.kill() if self.descendants is not None else 0

    async def kill_all(self) -> None:
        """Kill until nobody is left, and wait for the end of the process."""
        end, quiet = time.monotonic() + END_S, 0
        while quiet < _QUIET_LOOKS and time.monotonic() < end:
            killed = self.kill()
            quiet = 0 if killed else quiet + 1
            if await self.ended(_PAUSE_S) and killed:
                await asyncio.sleep(_PAUSE_S)  # for those that it started
        await self.ended(END_S)

    async def end(self) -> None:
        """Kill it, and give back what it held."""
        try:
            await self.kill_all()
        finally:
            self.close()

    def close(self) -> None:
        """Close our ends."""
        self.control.close()
        self.status_page.close()
        self.output.close()


Begin = Callable[[Path, Mapping[str, str]], Awaitable[UnassignedProcess]]
"""Gives an unassigned process of that interpreter, with those environment variables. Raises OSError."""


async def begin(python: Path, environ: Mapping[str, str]) -> UnassignedProcess:
    """Start one. Raises OSError."""
    with contextlib.ExitStack() as on_failure, os.fdopen(new_page()) as page:
        status_page = StatusPage(os.dup(page.fileno()))
        on_failure.callback(status_page.close)
        ours, theirs = socket.socketpair()
        on_failure.callback(ours.close)
        with theirs:
            reader, control = await asyncio.open_connection(sock=ours, limit=_MAX_MESSAGE)
            on_failure.callback(control.close)
            reading, prints = os.pipe()
            output = on_failure.enter_context(FileIO(reading))
            process = _start(python, environ, (theirs.fileno(), page.fileno()), prints)
        on_failure.pop_all()
    return UnassignedProcess(process, status_page, reader, control, output, mark_child(process.pid))


def _start(python: Path, environ: Mapping[str, str], passed: tuple[int, int], prints: int) -> subprocess.Popen[bytes]:
    """Closes `prints`."""
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)  # early releases of Python 3.11 leave theirs open where a pipe fails
    except BaseException:
        os.close(prints)
        raise
    try:
        return subprocess.Popen(
            [str(python), "-P", "-s", str(BOOT), *map(str, passed)],
            cwd="/",  # it changes to its model's folder once its config names one
            env=environment(environ),
            pass_fds=passed,
            stdin=nothing,
            stdout=prints,
            stderr=prints,
            start_new_session=True,
        )
    finally:
        os.close(nothing)
        os.close(prints)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker finds in its environment: ours, less what would change how Python starts."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
    return {
        "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime would report its use to its makers
        # For how many cycles (2^n) a thread of numpy's OpenBLAS spins before it sleeps. By default (26) every other
        # core is busy for some 30 ms after numpy was imported, and after each call; this is less than one.
        "OPENBLAS_THREAD_TIMEOUT": "20",
        **kept,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _state(pid: int) -> str:
    """One letter; Z if it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
