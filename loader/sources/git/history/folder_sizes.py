"""How large the folders of releases are, read out of git's objects: each tree and each file once."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import ReleaseFailed
from loader.files.git_objects import FOLDER, LINK, SUBMODULE, Entry, Objects
from loader.files.lfs_pointers import find_pointers
from loader.files.tree import DEFAULT_BOUNDS, File

_MOST_READ = 5_000
"""Objects that one question may take: a folder of more files tells no size before it was served."""
_MOST_KNOWN = 200_000
_LARGEST_POINTER = 1024


class TooManyFiles(Exception):
    """Of one revision."""


class FolderSizes:
    """Bytes of trees by their ids, which never change. For one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._read = 0

    def size(self, trees: Iterable[str], objects: Objects) -> int | None:
        """Of all of them together; None where that would take long to find out."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._read = 0
        try:
            return sum(self._tree(tree, objects, DEFAULT_BOUNDS.depth) for tree in trees)
        except TooManyFiles:
            return None

    def _tree(self, tree: str, objects: Objects, depth: int) -> int:
        if tree not in self._known:
            self._count()
            inside = depth - 1
            self._known[tree] = sum(self._entry(entry, objects, inside) for entry in objects.tree(tree))
        return self._known[tree]

    def _entry(self, entry: Entry, objects: Objects, depth: int) -> int:
        if entry.mode == SUBMODULE:
            return 0
        if entry.mode == FOLDER:
            return self._tree(entry.id, objects, depth) if depth > 0 else 0
        if entry.id not in self._known:
            self._count()
            self._known[entry.id] = _file(entry, objects)
        return self._known[entry.id]

    def _count(self) -> None:
        self._read += 1
        if self._read > _MOST_READ:
            raise TooManyFiles


def _file(entry: Entry, objects: Objects) -> int:
    """That of the file in Git LFS, where only the pointer to it is in git."""
    size = objects.size(entry.id)
    if size >= _LARGEST_POINTER or entry.mode == LINK:
        return size
    file = File("", entry.mode, entry.id, size)
    try:
        pointers = find_pointers([file], objects.blob)
    except ReleaseFailed:
        return size
    return pointers[entry.id].size if entry.id in pointers else size
