"""A git that talks to the followed repository, within its budgets of time and bytes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from core.errors import SettingError, SourceError
from core.folders import bytes_in
from loader.sources.git.mirror.git import start
from loader.sources.git.mirror.stoppable import StoppableProcess, Stopped
from loader.sources.git.mirror.transport import Transport
from loader.sources.git.mirror.watched_process import kill, output
from loader.sources.git.remote import Remote


class TooLarge(SourceError):
    """The repository would take more than it may."""


class RefusedByGit(Exception):
    """Git ended with an error, and `said` what it is."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Conversation:
    """One command at a time, each of which another thread can end."""

    def __init__(self, remote: Remote, transport: Transport, doing: str) -> None:
        """`doing`: what messages call what it does, such as "the fetch"."""
        self._remote = remote
        self._doing = doing
        self._transport = transport
        self._work = StoppableProcess()

    def stop(self) -> None:
        """End the command that is under way; none begins any more."""
        self._work.stop()

    def check(self) -> None:
        """Raise SourceError once stopped."""
        try:
            self._work.check()
        except Stopped:
            raise self._over() from None

    def talk(self, path: Path, command: Sequence[str], *, answers: bool = False) -> str:
        """What the command, run in the repository at `path`, says. Raises RefusedByGit, SourceError."""
        self.check()
        try:
            with self._running(path, command, answers) as process:
                said = self._watch(path, process)
        except Stopped:
            raise self._over() from None
        if process.returncode != 0:
            raise RefusedByGit(said)
        return said

    def _running(
        self, path: Path, command: Sequence[str], answers: bool
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        def begin() -> subprocess.Popen[bytes]:
            try:
                with self._transport.login() as (options, descriptors):
                    environment = self._transport.environment()
                    return start(path, [*options, *command], environment, descriptors, answers=answers)
            except (OSError, SettingError) as error:
                raise SourceError(f"{self._remote.address.url}: git could not be started: {error}") from error

        return self._work.running(begin)

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
            _end(process)
            raise SourceError(self._too_slow())
        self._weigh(path, process)
        return said.decode("utf-8", "replace")

    def _weigh(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        if bytes_in(path / "objects") > self._remote.max_bytes:
            _end(process)
            raise TooLarge(self._too_large())

    def _over(self) -> SourceError:
        return SourceError(f"{self._remote.address.url} is not followed any more")

    def _too_large(self) -> str:
        return (
            f"{self._remote.address.url}: the mirror would take more than {self._remote.max_bytes / 1e6:,.0f} MB; "
            "raise FETCH_MAX_MB, or take large files out of the repository's history"
        )

    def _too_slow(self) -> str:
        return (
            f"{self._remote.address.url}: {self._doing} timed out after {self._remote.fetch_timeout_s:g} s; "
            "check the network, or raise FETCH_TIMEOUT_S"
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    kill(process)
    process.wait()


_TICK_S = 0.25
_MOST_SAID = 16_384
