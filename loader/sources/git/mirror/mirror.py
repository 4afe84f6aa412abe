"""The bare mirror of the followed repository."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from core.errors import SourceError
from loader.files.git_objects import MirrorDamaged
from loader.sources.git.mirror.backoff import Backoff
from loader.sources.git.mirror.conversation import TooLarge
from loader.sources.git.mirror.fetch import Fetch
from loader.sources.git.mirror.git import operators_configuration
from loader.sources.git.mirror.git_errors import explain
from loader.sources.git.mirror.layout import lay, remove, sweep
from loader.sources.git.mirror.maintenance import Maintenance
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from loader.sources.git.mirror.transport import Transport
from loader.sources.git.remote import Remote

log = logging.getLogger(__name__)


class Mirror:
    """A bare repository at `path` that holds one ref: the head of what `remote` says to follow.

    As deep as the remote is, since versions count commits. It can be lost at any time: it is fetched again.
    """

    def __init__(self, path: Path, remote: Remote, run: Path) -> None:
        self.path = path
        self._remote = remote
        self.transport = Transport(remote, run, operators_configuration())
        self._fetch = Fetch(remote, self.transport)
        self._maintenance = Maintenance(path)
        followed = sha256(f"{remote.address.url}\0{remote.branch}".encode()).hexdigest()[:16]
        # Named by what it follows: after a change of gitPath or gitBranch, nothing of the old is taken for the new.
        self._ref = f"refs/pawl/{followed}"
        self._rebuilding = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        self._damage: MirrorDamaged | None = None
        self._is_swept = False
        self._is_alone = False
        self.objects = MirrorObjects(path)
        """The reader of the thread that fetches."""

    def fetch(self) -> str:
        """Bring the mirror up to date; returns the head's commit. Raises SourceError."""
        self._fetch.check()
        with self._maintenance.paused():
            try:
                return self._fetch_or_mend()
            except TooLarge:
                self._maintenance.save_room()
                raise
            finally:
                self._maintenance.begin()

    def head(self, objects: MirrorObjects) -> str | None:
        """The head's commit as of the last fetch; None when there was none."""
        return objects.resolve(f"{self._ref}^{{commit}}") if (self.path / "HEAD").is_file() else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[MirrorObjects]:
        """A reader for one thread, while others have theirs."""
        objects = MirrorObjects(self.path)
        try:
            yield objects
        finally:
            objects.close()

    def suspect(self, damage: MirrorDamaged) -> None:
        """A reader has found what leads from the head to be damaged: the next fetch brings everything anew."""
        self._damage = damage

    def mend(self, damage: MirrorDamaged) -> str:
        """Fetch everything again, aside, and put it in the damaged mirror's place. Raises SourceError."""
        self._fetch.check()
        with self._maintenance.paused():
            return self._mend(damage)

    def found_whole(self) -> None:
        """What was fetched has been read: should it be damaged again, it is mended again, without a pause."""
        self._rebuilding.succeeded()

    def close(self) -> None:
        """End a fetch that is under way, and the processes that read objects; nothing is fetched any more."""
        self._fetch.stop()
        self._maintenance.close()
        self.objects.close()

    def _fetch_or_mend(self) -> str:
        if self._damage is not None:
            return self._mend(self._damage)
        try:
            before = self._head_if_sound()
            self._fetch_into(self.path)
            return self._fetched(before)
        except MirrorDamaged as damage:
            return self._mend(damage)

    def _mend(self, damage: MirrorDamaged) -> str:
        """Whether the mirror is what is damaged, or the remote, shows when all is fetched into an empty one."""
        if not self._rebuilding.is_over:
            raise SourceError(explain(str(damage), self._remote)) from damage
        self._rebuilding.failed()
        aside = self.path.with_name(f".{self.path.name}.new")
        remove(aside)
        try:
            self._fetch_into(aside)
            self._replace(aside)
            head = self._fetched(None)
        except MirrorDamaged as again:
            raise SourceError(explain(str(again), self._remote)) from again
        finally:
            remove(aside)
        self._damage = None
        log.warning("%s was damaged, and all of it was fetched again: %s", self.path, damage)
        return head

    def _fetch_into(self, path: Path) -> None:
        try:
            lay(path)
        except OSError as error:
            raise SourceError(f"{path} can't be written: {error}; check DATA_DIR") from error
        if not self._is_swept:  # of what a killed daemon's git left
            sweep(path)
            self._is_swept = True
        self._fetch.run(path, self._ref)

    def _replace(self, aside: Path) -> None:
        self.objects.close()
        with contextlib.suppress(OSError):
            (self.path / "lfs").rename(aside / "lfs")
        remove(self.path)
        aside.rename(self.path)

    def _head_if_sound(self) -> str | None:
        with contextlib.suppress(MirrorDamaged):
            return self.head(self.objects)
        return None

    def _fetched(self, before: str | None) -> str:
        head = self.objects.resolve(f"{self._ref}^{{commit}}")
        if head is None:
            kind = self.objects.git("cat-file", "-t", f"{self._ref}^{{}}").decode().strip()
            what = f"{self._remote.branch or 'HEAD'!r} is not a commit but a {kind}"
            raise SourceError(f"{self._remote.address.url}: {what}; check gitBranch")
        if head != before:
            self._forget_others()
        return head

    def _forget_others(self) -> None:
        """Drop the refs of what was followed before, so that its objects can go in time."""
        if self._is_alone:
            return
        self._is_alone = True
        for ref in self.objects.git("for-each-ref", "--format=%(refname)", "refs/").decode().split():
            if ref != self._ref:
                self.objects.git("update-ref", "-d", ref)


_FIRST_PAUSE_S = 30.0
_LONGEST_PAUSE_S = 600.0
