"""The uv program, which resolves and installs packages: run with a deadline, its failures put into our words."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO

from uv import find_uv_bin

from core.errors import Heals, ReleaseFailed
from core.redaction import redact, secrets_in
from loader.environments import uv_errors
from loader.environments.uv_variables import variables

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
"""uv replaces it in addresses."""

_KEPT_BYTES = 32_000
"""Of the program's output; the end is kept, where the reason stands."""


class Uv:
    """Runs uv, and the Python of environments. Its calls block, and may come from several threads."""

    def __init__(self, env: Mapping[str, str], cache: Path | None) -> None:
        """`env`: all that uv, and the build scripts that it runs, get to see. `cache`: see `variables`."""
        self._env = variables(env, cache)
        self._known = frozenset[str]().union(*(secrets_in(value) for value in self._env.values()))
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        self._lock = Lock()

    def secrets(self, lines: Iterable[str]) -> frozenset[str]:
        """What of the addresses in `lines`, and of those among its variables, nobody is to see."""
        expanded = (_VARIABLE.sub(lambda found: self._env.get(found[1], found[0]), line) for line in lines)
        return self._known.union(*(secrets_in(line) for line in expanded))

    def run(self, *arguments: str, folder: Path, deadline: float, secrets: Iterable[str] = ()) -> None:
        """Run in `folder` until `deadline` (of `time.monotonic()`). Raises ReleaseFailed."""
        # Not the settings of a project that the folder happens to lie in.
        status, output = self._run((find_uv_bin(), "--project", "/", *arguments), folder, deadline)
        if status is None or status != 0:
            raise self._failure(redact(output.replace(f"{folder}/", ""), secrets), status)

    def run_python(self, *arguments: str, folder: Path, deadline: float) -> None:
        """Run the Python of the environment `folder`, whatever comes of it. Raises ReleaseFailed when that is late."""
        status, _ = self._run((str(folder / "bin" / "python"), *arguments), folder, deadline)
        if status is None or self._closed:
            raise self._failure("", status)

    def close(self) -> None:
        """Kill what runs; from now on everything fails at once."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _kill(process)

    def _run(self, command: tuple[str, ...], folder: Path, deadline: float) -> tuple[int | None, str]:
        """The status, None at the deadline, and the end of the output."""
        process = self._start(command, folder)
        output = _Tail(process.stdout)
        status = None
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(process)
        finally:
            with self._lock:
                self._running.discard(process)
        return status, output.text()

    def _start(self, command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
        temporary = folder / "tmp"  # another may be missing, too small, or forbid to run what is built in it
        temporary.mkdir(exist_ok=True)
        with self._lock:
            if self._closed:
                raise self._failure("", None)
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**self._env, "TMPDIR": str(temporary)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that build scripts die with it
            )
            self._running.add(process)
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)  # requests go first
        return process

    def _failure(self, output: str, status: int | None) -> ReleaseFailed:
        if self._closed:
            return _failed("stopped before the environment was built", output, Heals.MAYBE)
        if status is None:
            late = "the environment was not built within the time allowed; it is tried again"
            return _failed(late, output, Heals.WITH_MACHINE)  # a network that drips, mostly
        reason = uv_errors.gist(output, status)
        return _failed(uv_errors.in_one_line(reason), reason, uv_errors.heals(reason, status))


class _Tail:
    """The end of what a stream carries, read as it comes, so that its writer never waits for a reader."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._kept = b""
        self._cut = False
        self._thread = Thread(target=self._read, name="uv output", daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join(timeout=5)  # a process that left the group may hold the pipe for ever
        kept = self._kept
        if self._cut:
            kept = kept.partition(b"\n")[2]  # half a line may hold half a secret, which nobody would find
        return kept.decode(errors="replace")

    def _read(self) -> None:
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), 65_536):
                whole = self._kept + chunk
                self._kept = whole[-_KEPT_BYTES:]
                self._cut |= len(whole) > _KEPT_BYTES


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(message: str, detail: str, heals: Heals) -> ReleaseFailed:
    return ReleaseFailed(f"requirements.txt: {message}", stage="environment", detail=detail, heals=heals)
