"""The uv program, which resolves and installs packages: run with a deadline, its failures put into our words."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO

from uv import find_uv_bin

from core.errors import Heals, ReleaseFailed

_KEPT_BYTES = 32_000
"""Of the program's output; the end is kept, where the reason stands."""
_MESSAGE_CHARACTERS = 600

_HOPELESS = ("No solution found", "Couldn't parse", "Failed to build", "Hash mismatch", "requires-python")
"""What no second try can change; anything else (the network, a full disk) may be better then."""

_MISLEADING = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET")
"""Variables that would have it look at, or install into, another place than the one it is given."""


class Uv:
    """Runs uv. Its calls block, and may come from several threads."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """`env`: all that uv, and the build scripts that it runs, get to see."""
        self._env = {key: value for key, value in env.items() if key not in _MISLEADING}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        self._lock = Lock()

    def run(self, *arguments: str, folder: Path, deadline: float) -> None:
        """Run in `folder` until `deadline` (of `time.monotonic()`). Raises ReleaseFailed."""
        process = self._start(arguments, folder)
        output = _Tail(process.stdout)
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(process)
            raise self._late(output.text()) from None
        finally:
            with self._lock:
                self._running.discard(process)
        if status != 0:
            raise self._failure(output.text().replace(f"{folder}/", ""), status)

    def close(self) -> None:
        """Kill what runs; from now on everything fails at once."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _kill(process)

    def _start(self, arguments: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise _failed("stopped before the environment was built", "", heals=Heals.MAYBE)
            process = subprocess.Popen(
                [find_uv_bin(), *arguments],
                cwd=folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that build scripts die with it
            )
            self._running.add(process)
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)  # requests go first
        return process

    def _late(self, output: str) -> ReleaseFailed:
        return _failed(
            "the environment was not built within the time allowed; it is tried again", output, heals=Heals.MAYBE
        )

    def _failure(self, output: str, status: int) -> ReleaseFailed:
        if self._closed:
            return _failed("stopped while the environment was being built", output, heals=Heals.MAYBE)
        reason = output[max(0, output.find("error:")) :].strip() or f"uv ended with status {status}"
        return _failed(
            _in_one_line(reason),
            reason,
            heals=Heals.NEVER if any(mark in reason for mark in _HOPELESS) else Heals.MAYBE,
        )


class _Tail:
    """The end of what a stream carries, read as it comes, so that its writer never waits for a reader."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._kept = b""
        self._thread = Thread(target=self._read, name="uv output", daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join(timeout=5)  # a process that left the group may hold the pipe for ever
        return self._kept.decode(errors="replace")

    def _read(self) -> None:
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), 65_536):
                self._kept = (self._kept + chunk)[-_KEPT_BYTES:]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _in_one_line(reason: str) -> str:
    line = " ".join(re.sub(r"\n\s*cause: ", ": ", reason.removeprefix("error: ")).split())
    return line if len(line) <= _MESSAGE_CHARACTERS else line[:_MESSAGE_CHARACTERS] + "…"


def _failed(message: str, detail: str, *, heals: Heals) -> ReleaseFailed:
    return ReleaseFailed(f"requirements.txt: {message}", stage="environment", detail=detail, heals=heals)
