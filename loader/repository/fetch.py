"""One fetch of the followed repository, within its budgets of time and bytes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from core.errors import SettingError, SourceError
from loader.files.objects import MirrorDamaged
from loader.repository.bounded import bytes_in, close, kill, output, sweep
from loader.repository.complaint import explain, is_damage, is_locked
from loader.repository.git import start
from loader.repository.remote import Remote
from loader.repository.transport import Transport


class Fetch:
    """Fetches what `remote` says to follow."""

    def __init__(self, remote: Remote, transport: Transport) -> None:
        self._remote = remote
        self._transport = transport
        self._running: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._lock = Lock()
        """Held only to change the two above: to start git may take as long as a disk likes."""

    def run(self, path: Path, ref: str) -> None:
        """Fetch into the repository at `path`, to its `ref`. Raises SourceError, or MirrorDamaged."""
        wanted = f"refs/heads/{self._remote.branch}" if self._remote.branch else "HEAD"
        arguments = ["--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", "--"]
        command = ["fetch", *arguments, self._remote.address.url, f"+{wanted}:{ref}"]
        try:
            self._work(path, command)
        except _Refused as refused:
            if not is_locked(refused.said):
                raise self._failure(refused.said) from refused
            sweep(path)
            self._run_once_more(path, command)

    def stop(self) -> None:
        """End a fetch that is under way in another thread; none begins any more."""
        with self._lock:
            self._is_stopped = True
            if self._running is not None:
                kill(self._running)

    def check(self) -> None:
        """Raise SourceError once stopped."""
        if self._is_stopped:
            raise SourceError(f"{self._remote.address.url} is not followed any more")

    def _run_once_more(self, path: Path, command: Sequence[str]) -> None:
        try:
            self._work(path, command)
        except _Refused as refused:
            raise self._failure(refused.said) from refused

    def _failure(self, said: str) -> Exception:
        return (
            MirrorDamaged(self._remote.scrub(said.strip()))
            if is_damage(said)
            else SourceError(explain(said, self._remote))
        )

    def _work(self, path: Path, command: Sequence[str]) -> None:
        """Run a git that talks to the remote, within the budgets."""
        process = self._start(path, command)
        try:
            said = self._watch(path, process)
        finally:
            close(process)
            with self._lock:
                self._running = None
        if process.returncode != 0:
            raise _Refused(said)

    def _start(self, path: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
        self.check()
        try:
            with self._transport.login() as (options, descriptors):
                process = start(path, [*options, *command], self._transport.environment(), descriptors)
        except (OSError, SettingError) as error:
            raise SourceError(f"{self._remote.address.url}: git could not be started: {error}") from error
        with self._lock:
            self._running = process
            if self._is_stopped:
                kill(process)
        return process

    def _watch(self, path: Path, process: subprocess.Popen[bytes]) -> str:
        """What the process says to its end, which comes soon when it takes too long or too much."""
        said = bytearray()
        end = time.monotonic() + self._remote.fetch_timeout_s
        weighing = time.monotonic() + _TICK_S
        for piece in output(process, end, _TICK_S):
            said[:] = (said + piece)[-_MOST_SAID:]
            if time.monotonic() > weighing:
                self._weigh(path, process)
                weighing = time.monotonic() + _TICK_S
        if process.poll() is None:
            self._stop(path, process)
            raise SourceError(self._too_slow())
        self._weigh(path, process)
        return said.decode("utf-8", "replace")

    def _weigh(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        if bytes_in(path / "objects") > self._remote.max_bytes:
            self._stop(path, process)
            raise SourceError(self._too_large())

    def _stop(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        kill(process)
        process.wait()
        sweep(path)

    def _too_large(self) -> str:
        return (
            f"{self._remote.address.url}: the mirror would take more than {self._remote.max_bytes / 1e6:,.0f} MB; "
            "raise FETCH_MAX_MB, or take large files out of the repository's history"
        )

    def _too_slow(self) -> str:
        return (
            f"{self._remote.address.url}: the fetch timed out after {self._remote.fetch_timeout_s:g} s; "
            "check the network, or raise FETCH_TIMEOUT_S"
        )


class _Refused(Exception):
    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


_TICK_S = 0.25
_MOST_SAID = 16_384
