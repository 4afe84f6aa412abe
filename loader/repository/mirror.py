"""The bare mirror of the followed repository."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from core.errors import SourceError
from loader.files.objects import MirrorDamaged
from loader.repository.bounded import close, output, remove, sweep
from loader.repository.complaint import explain
from loader.repository.fetch import Fetch
from loader.repository.git import MirrorObjects, prepare, start
from loader.repository.remote import Remote
from loader.repository.transport import Transport, quiet_environment

log = logging.getLogger(__name__)

_TICK_S = 0.25
_MOVES_BETWEEN_TIDYING = 50
_TIDYING_S = 60.0
_REBUILD_PAUSE_S = 600.0


class Mirror:
    """A bare repository at `path` that holds one ref: the head of what `remote` says to follow.

    Never shallow, since versions count commits. It can be lost at any time: it is fetched again.
    """

    def __init__(self, path: Path, remote: Remote, run: Path) -> None:
        self._path = path
        self._remote = remote
        self._fetch = Fetch(remote, Transport(remote, run))
        followed = sha256(f"{remote.address.url}\0{remote.branch}".encode()).hexdigest()[:16]
        # Named by what it follows: after a change of gitPath or gitBranch, nothing of the old is taken for the new.
        self._ref = f"refs/pawl/{followed}"
        self._moves = 0
        self._rebuilt_at = float("-inf")
        self._is_alone = False
        self.objects = MirrorObjects(path)
        """The reader of the thread that fetches."""

    def fetch(self) -> str:
        """Bring the mirror up to date; returns the head's commit. Raises SourceError."""
        self._fetch.check()
        try:
            before = self._head_if_sound()
            self._fetch_into(self._path)
            return self._fetched(before)
        except MirrorDamaged as damage:
            return self.rebuild(damage)

    def head(self, objects: MirrorObjects) -> str | None:
        """The head's commit as of the last fetch; None when there was none."""
        return objects.resolve(self._ref) if (self._path / "HEAD").is_file() else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[MirrorObjects]:
        """A reader for one thread, while others have theirs."""
        objects = MirrorObjects(self._path)
        try:
            yield objects
        finally:
            objects.close()

    def rebuild(self, damage: MirrorDamaged) -> str:
        """Fetch everything again, aside, and put it in the damaged mirror's place. Raises SourceError."""
        self._fetch.check()
        if time.monotonic() - self._rebuilt_at < _REBUILD_PAUSE_S:
            raise SourceError(f"{self._path} is damaged, and fetching it anew did not mend it: {damage}") from damage
        log.warning("%s is damaged (%s): fetching all of it again", self._path, damage)
        aside = self._path.with_name(f".{self._path.name}.new")
        remove(aside)
        try:
            self._fetch_into(aside)
            self._rebuilt_at = time.monotonic()
            self._replace(aside)
            return self._fetched(None)
        except MirrorDamaged as again:
            self._rebuilt_at = time.monotonic()
            raise SourceError(explain(str(again), self._remote)) from again

    def close(self) -> None:
        """End a fetch that is under way, and the processes that read objects; nothing is fetched any more."""
        self._fetch.stop()
        self.objects.close()

    def _fetch_into(self, path: Path) -> None:
        prepare(path)
        self._fetch.run(path, self._ref)

    def _replace(self, aside: Path) -> None:
        self.objects.close()
        with contextlib.suppress(OSError):
            (self._path / "lfs").rename(aside / "lfs")
        remove(self._path)
        aside.rename(self._path)

    def _head_if_sound(self) -> str | None:
        with contextlib.suppress(MirrorDamaged):
            return self.head(self.objects)
        return None

    def _fetched(self, before: str | None) -> str:
        head = self.objects.resolve(self._ref)
        if head is None:
            raise MirrorDamaged("the ref that was just fetched can't be read")
        if head != before:
            self._forget_others()
            self._tidy()
        return head

    def _forget_others(self) -> None:
        """Drop the refs of what was followed before, so that its objects can go in time."""
        if self._is_alone:
            return
        self._is_alone = True
        for ref in self.objects.git("for-each-ref", "--format=%(refname)", "refs/").decode().split():
            if ref != self._ref:
                self.objects.git("update-ref", "-d", ref)

    def _tidy(self) -> None:
        """Every now and then, let git pack what has come; it does nothing unless there is much."""
        self._moves += 1
        if self._moves % _MOVES_BETWEEN_TIDYING:
            return
        process = start(self._path, ["-c", "gc.auto=2000", "gc", "--auto", "--quiet"], quiet_environment(), ())
        try:
            for _ in output(process, time.monotonic() + _TIDYING_S, _TICK_S):
                pass
        finally:
            close(process)
            sweep(self._path)
            self.objects.close()
