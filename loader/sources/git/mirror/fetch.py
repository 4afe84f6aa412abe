"""One fetch of the followed repository, within its budgets of time and bytes."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from core.errors import SettingError, SourceError
from loader.files.git_objects import MirrorDamaged
from loader.sources.git.mirror.git import start
from loader.sources.git.mirror.git_errors import explain, is_damage, is_locked, lacks_ref, no_such_ref
from loader.sources.git.mirror.layout import sweep
from loader.sources.git.mirror.stoppable import StoppableProcess, Stopped
from loader.sources.git.mirror.transport import Transport
from loader.sources.git.mirror.watched_process import bytes_in, kill, output
from loader.sources.git.remote import Remote


class TooLarge(SourceError):
    """The mirror would take more than it may."""


class Fetch:
    """Fetches what `remote` says to follow."""

    def __init__(self, remote: Remote, transport: Transport) -> None:
        self._remote = remote
        self._transport = transport
        self._work = StoppableProcess()

    def run(self, path: Path, ref: str) -> None:
        """Fetch into the repository at `path`, to its `ref`. Raises SourceError, or MirrorDamaged."""
        try:
            self._fetch(path, ref)
        except _Refused as refused:
            sweep(path)
            raise self._failure(refused.said) from refused
        except Stopped:
            raise self._over() from None
        except SourceError:
            sweep(path)
            raise

    def stop(self) -> None:
        """End a fetch that is under way in another thread; none begins any more."""
        self._work.stop()

    def check(self) -> None:
        """Raise SourceError once stopped."""
        try:
            self._work.check()
        except Stopped:
            raise self._over() from None

    def _fetch(self, path: Path, ref: str) -> None:
        *earlier, last = self._remote.refs
        for wanted in earlier:
            try:
                return self._fetch_one(path, wanted, ref)
            except _Refused as refused:
                if not lacks_ref(refused.said):
                    raise
        try:
            self._fetch_one(path, last, ref)
        except _Refused as refused:
            if lacks_ref(refused.said) and self._remote.branch:
                raise SourceError(no_such_ref(self._branches(path), self._remote)) from refused
            raise

    def _fetch_one(self, path: Path, wanted: str, ref: str) -> None:
        # As deep as the source goes: where that is a shallow clone, the mirror has to be one as well.
        depth = ["--unshallow"] if (path / "shallow").exists() else []
        options = ["--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"]
        command = ["fetch", *options, "--update-shallow", *depth, "--", self._remote.address.url, f"+{wanted}:{ref}"]
        try:
            self._talk(path, command)
        except _Refused as refused:
            if not is_locked(refused.said):
                raise
            sweep(path)
            self._talk(path, command)

    def _branches(self, path: Path) -> list[str]:
        """Names of branches that there are, or of some of them."""
        try:
            listed = self._talk(path, ["ls-remote", "--heads", "--", self._remote.address.url], answers=True)
        except (_Refused, SourceError):
            return []
        return re.findall(r"^[0-9a-f]{40,64}\trefs/heads/(.+)$", listed, re.MULTILINE)

    def _failure(self, said: str) -> Exception:
        return (
            MirrorDamaged(self._remote.scrub(said.strip()))
            if is_damage(said)
            else SourceError(explain(said, self._remote))
        )

    def _talk(self, path: Path, command: Sequence[str], *, answers: bool = False) -> str:
        """What a git says that talks to the remote, within the budgets."""
        self.check()
        with self._running(path, command, answers) as process:
            said = self._watch(path, process)
        if process.returncode != 0:
            raise _Refused(said)
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
            f"{self._remote.address.url}: the fetch timed out after {self._remote.fetch_timeout_s:g} s; "
            "check the network, or raise FETCH_TIMEOUT_S"
        )


class _Refused(Exception):
    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def _end(process: subprocess.Popen[bytes]) -> None:
    kill(process)
    process.wait()


_TICK_S = 0.25
_MOST_SAID = 16_384
