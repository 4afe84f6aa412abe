"""How two versions of a model differ, as git writes it, within a bound."""

from __future__ import annotations

from contextlib import closing

from core.release import Candidate
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from loader.sources.git.remembered import Remembered
from loader.sources.past import Patch

_REQUIREMENTS = "requirements.txt"
_KEPT = 64
_LARGEST_KEPT = 64 * 1024
"""Characters: what is remembered takes some MB at most."""


class Patches:
    """For any number of threads."""

    def __init__(self, folder: tuple[str, ...]) -> None:
        """`folder`: where the models are in the repository."""
        self._folder = folder
        self._known = Remembered[tuple[str, str, tuple[str, ...], int], Patch](_KEPT)

    def read(self, before: Candidate, after: Candidate, objects: MirrorObjects, most: int) -> Patch:
        """In the folders that make up either of them, and the requirements where those apply; `most`: bytes."""
        paths = self._paths(before, after)
        key = before.version.commit, after.version.commit, paths, most
        found = self._known.get(key)
        if found is None:
            found = _read(*key, objects)
            if len(found.text) <= _LARGEST_KEPT:
                self._known.put(key, found)
        return found

    def _paths(self, before: Candidate, after: Candidate) -> tuple[str, ...]:
        paths = ["/".join((*self._folder, name)) for name in sorted(_names(before) | _names(after))]
        if any(one.revision is not None and one.revision.default_requirements for one in (before, after)):
            paths += sorted({"/".join((*self._folder, _REQUIREMENTS)), _REQUIREMENTS})
        return tuple(paths)


def _read(before: str, after: str, paths: tuple[str, ...], most: int, objects: MirrorObjects) -> Patch:
    found, size = [], 0
    with closing(objects.patch(before, after, paths)) as pieces:
        for piece in pieces:
            found.append(piece)
            size += len(piece)
            if size > most:
                break
    text = b"".join(found)
    return Patch(text[:most].decode("utf-8", "replace"), is_cut=size > most)


def _names(candidate: Candidate) -> set[str]:
    """Those of a revision that can't be made are only the model's own."""
    return {candidate.model} if candidate.revision is None else set(candidate.revision.folders)
