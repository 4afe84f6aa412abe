"""Keeps the history at the followed head: adds the new commits, and counts from the start only when it must."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from threading import Lock

from core.errors import SourceError
from loader.files.git_objects import Commit, MirrorDamaged
from loader.sources.git.history.changes import read_changes
from loader.sources.git.history.history import History
from loader.sources.git.history.history_file import load, save
from loader.sources.git.mirror.mirror_objects import MirrorObjects

log = logging.getLogger(__name__)


class Counting:
    """Follows heads. `history` is replaced, never changed, so a reader may keep using the one that it has.

    Commits never change, so what was counted of a commit stays right, in every mirror of the repository, except for
    those whose parents a shallow repository leaves out: the file's key says where those are.
    """

    def __init__(self, path: Path, folder: tuple[str, ...]) -> None:
        """`path`: the file that it is kept in. `folder`: where the models are in the repository."""
        self.history = History()
        self._path = path
        self._folder = folder
        self._lock = Lock()
        """Held while a head is followed. Two threads want it only when a version is asked for before the first look is
        over."""
        self._followed = ""
        self._unsaved = 0
        """Commits counted since it was written down."""
        self._is_stopped = False

    def follow(self, head: str, objects: MirrorObjects) -> str:
        """Bring the history to `head`; returns the head before where this one leaves it behind."""
        with self._lock:
            before = self.history.head
            self._turn_to(f"{self._folder} {objects.boundary}")
            if self.history.head == head:
                return ""
            self.history = self._next(head, objects)
            self._keep()
            return before if before is not None and not self.history.commits.find(before) else ""

    def stop(self) -> None:
        """End what is being counted in another thread."""
        self._is_stopped = True

    def _turn_to(self, followed: str) -> None:
        """When what is held is of something else, take what was kept."""
        key = sha256(followed.encode("utf-8", "surrogateescape")).hexdigest()
        if key != self._followed:
            self.history = load(self._path, key) or History()
            self._followed, self._unsaved = key, 0

    def _next(self, head: str, objects: MirrorObjects) -> History:
        if self.history.head is None:
            return self._grown(self.history, objects.log(head, None), objects)
        commits = _new(head, self.history, objects)
        return self._grown(_left(head, self.history, commits), commits, objects)

    def _grown(self, history: History, commits: Iterable[Commit], objects: MirrorObjects) -> History:
        return history.grown(read_changes(self._noting(commits), self._folder, objects.differences, objects))

    def _noting(self, commits: Iterable[Commit]) -> Iterator[Commit]:
        for commit in commits:
            if self._is_stopped:
                raise SourceError("the repository is not followed any more")
            self._unsaved += 1
            yield commit

    def _keep(self) -> None:
        """Write it down when much of it is new: the rest is soon counted again."""
        if self._unsaved * _PART_NEW < len(self.history.commits):
            return
        try:
            save(self._path, self.history, self._followed)
            self._unsaved = 0
        except OSError as error:
            log.warning("%s can't be written, so the next start counts the history again: %s", self._path, error)


_PART_NEW = 20


def _new(head: str, history: History, objects: MirrorObjects) -> list[Commit]:
    """The commits that `head` reaches and that are not there yet, parents first."""
    try:
        return list(objects.log(head, history.head))
    except MirrorDamaged:  # what was known is gone from a mirror that was fetched anew
        known = set(history.commits.ids.decode("ascii").split())
        return [commit for commit in objects.log(head, None) if commit.id not in known]


def _left(head: str, history: History, more: list[Commit]) -> History:
    """What `head` reaches of it, by way of what is new."""
    new = {commit.id for commit in more}
    known = {parent for commit in more for parent in commit.parents} | {head}
    if history.head in known:
        return history
    tips = (at for id in known - new for at in history.commits.find(id))
    return history.only(history.commits.reached(tips))
