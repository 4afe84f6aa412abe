"""The versions of models out of git's history, read page by page: most of a long history is never looked at."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from core.release import Candidate, Version
from loader.files.git_objects import MirrorDamaged
from loader.files.model_folders import Folder
from loader.sources.git.history.commit_texts import read_commit
from loader.sources.git.history.folder_sizes import FolderSizes
from loader.sources.git.history.history import History
from loader.sources.git.history.version_numbers import Numbers
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from loader.sources.git.remembered import Remembered
from loader.sources.past import Page, PastVersion, cursor_of, read_cursor

CandidateAt = Callable[[str, Version, str, dict[str, Folder], MirrorObjects], Candidate | None]
"""The model at a commit, under a version; it is given a cache of folders that were looked at."""

_MODELS_KEPT = 16
_MOST_KEPT = 2000
"""Versions of all models, of which a page shows a hundred."""
PATIENCE_S = 2.0


@dataclass
class _Walk:
    """How far the versions of a model have been looked at, from the newest on."""

    history: History
    places: list[int]
    """The commits that gave versions, the newest first."""
    at: int = 0
    """So many have been looked at."""
    seen: set[str] = field(default_factory=set)
    """The revisions that they made."""
    first: list[int] = field(default_factory=list)
    """Of those looked at, each that was the newest version of its revision: an index into `places`, ascending."""
    known: dict[str, str | None] = field(default_factory=dict)
    """By commit the revision, or what stands for it; None where the folder was not a model. It holds for ever."""


class PastVersions:
    """For any number of threads, one of which looks at a time.

    A page is what was found within a time: whoever asks for one in the middle of a long history, before anybody has
    asked for those that come first, gets an empty one, with where to go on.
    """

    def __init__(
        self, candidate_at: CandidateAt, numbers: Callable[[str, History], Numbers], patience_s: float = PATIENCE_S
    ) -> None:
        self._candidate_at = candidate_at
        self._numbers = numbers
        self._patience_s = patience_s
        self._walks: OrderedDict[str, _Walk] = OrderedDict()
        self._looked_at: dict[str, Folder] = {}
        self._read = Remembered[tuple[str, Version], PastVersion](_MOST_KEPT)
        self._sizes = FolderSizes()
        self._lock = Lock()

    def listed(self, model: str, limit: int, cursor: str | None, history: History, objects: MirrorObjects) -> Page:
        """Raises CursorUnknown, MirrorDamaged."""
        after = None if cursor is None else read_cursor(cursor)
        if not any(history.touching_of(name) for name in history.names(model)):
            return Page()
        numbers = self._numbers(model, history)
        with self._lock:
            walk = self._walk(model, history, numbers)
            start = 0 if after is None else _place(after, walk, numbers)
            found, at = self._page(model, walk, start, limit, numbers, objects)
        if at is None:
            return Page(tuple(found))
        return Page(tuple(found), cursor if at <= start else cursor_of(_version(walk, at - 1, numbers)))

    def tell(self, candidate: Candidate, objects: MirrorObjects) -> PastVersion:
        with self._lock:
            return self._told(candidate, objects)

    def _page(
        self, model: str, walk: _Walk, start: int, limit: int, numbers: Numbers, objects: MirrorObjects
    ) -> tuple[list[PastVersion], int | None]:
        """So many from a place on, and where to go on; None where that was all."""
        found: list[PastVersion] = []
        last = start
        for index in self._newest_of_each(model, walk, start, numbers, objects):
            if index is None:
                return found, max(last, walk.at)
            if len(found) == limit:
                return found, last
            candidate = self._candidate(model, walk, index, numbers, objects)
            assert candidate is not None
            found.append(self._told(candidate, objects))
            last = index + 1
        return found, None

    def _newest_of_each(
        self, model: str, walk: _Walk, start: int, numbers: Numbers, objects: MirrorObjects
    ) -> Iterator[int | None]:
        """Places from one on; None, once, where there is no more time to look for them."""
        yield from walk.first[bisect_right(walk.first, start - 1) :]
        end = time.monotonic() + self._patience_s
        while walk.at < len(walk.places):
            index, is_first = walk.at, self._look(model, walk, numbers, objects)
            if is_first and index >= start:
                yield index
            if time.monotonic() > end and walk.at < len(walk.places):
                yield None

    def _look(self, model: str, walk: _Walk, numbers: Numbers, objects: MirrorObjects) -> bool:
        """At the next one; whether no newer version is of the same revision."""
        commit = walk.history.commits.id(walk.places[walk.at])
        if commit not in walk.known:
            candidate = self._candidate(model, walk, walk.at, numbers, objects)
            walk.known[commit] = None if candidate is None else _identity(candidate)
        identity = walk.known[commit]
        is_first = identity is not None and identity not in walk.seen
        if is_first and identity is not None:
            walk.seen.add(identity)
            walk.first.append(walk.at)
        walk.at += 1
        return is_first

    def _candidate(
        self, model: str, walk: _Walk, index: int, numbers: Numbers, objects: MirrorObjects
    ) -> Candidate | None:
        version = _version(walk, index, numbers)
        return self._candidate_at(model, version, version.commit, self._looked_at, objects)

    def _told(self, candidate: Candidate, objects: MirrorObjects) -> PastVersion:
        known = self._read.get((candidate.model, candidate.version))
        if known is not None and known.candidate == candidate:
            return known
        told = self._told_anew(candidate, objects)
        if told.size_bytes is not None:
            self._read.put((candidate.model, candidate.version), told)
        return told

    def _told_anew(self, candidate: Candidate, objects: MirrorObjects) -> PastVersion:
        text = read_commit(objects.commit(candidate.version.commit))
        trees = () if candidate.revision is None else candidate.revision.folders.values()
        try:
            size = self._sizes.size(trees, objects) if trees else None
        except MirrorDamaged:
            size = None
        return PastVersion(candidate, text.author, text.message, text.at, size)

    def _walk(self, model: str, history: History, numbers: Numbers) -> _Walk:
        """The one that goes on with the history, without what is known no more."""
        before = self._walks.pop(model, None)
        if before is None or before.history is not history:
            known = {} if before is None else before.known
            before = _Walk(history, _places(numbers), known=known)
        self._walks[model] = before
        while len(self._walks) > _MODELS_KEPT:
            self._walks.popitem(last=False)
        return before


def _version(walk: _Walk, index: int, numbers: Numbers) -> Version:
    at = walk.places[index]
    return Version(numbers.at[at], walk.history.commits.id(at))


def _places(numbers: Numbers) -> list[int]:
    """The commits that are counted, the highest number first."""
    counted = [at for at, newest in enumerate(numbers.newest) if newest == at]
    return sorted(counted, key=lambda at: (numbers.at[at], at), reverse=True)


def _place(after: tuple[int, str], walk: _Walk, numbers: Numbers) -> int:
    """Where it goes on after a version; after those of its number, where history was rewritten meanwhile."""
    number, commit = after
    start = bisect_right(walk.places, -number, key=lambda at: -numbers.at[at])
    for index in range(start - 1, -1, -1):
        if numbers.at[walk.places[index]] != number:
            break
        if walk.history.commits.id(walk.places[index]) == commit:
            return index + 1
    return start


def _identity(candidate: Candidate) -> str:
    """Versions that can't be served are told one by one."""
    return candidate.version.commit if candidate.revision is None else candidate.revision.id
