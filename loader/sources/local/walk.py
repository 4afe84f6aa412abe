"""The files under a folder on this machine, by way of the links that volumes make."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.errors import ReleaseFailed
from loader.files.git_objects import EXECUTABLE, LINK
from loader.files.tree import Bounds, check_link, check_name
from loader.sources.local.ignored import is_ignored
from loader.sources.local.links import Target, follow, refused


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a walk saw it; equal to what a later walk sees only if nobody touched it."""

    path: str
    """From the folder that holds the model folders."""
    real: str
    """Where its content is, from the same folder, with no link on the way."""
    mode: str
    """As git has it."""
    size: int
    changed_ns: int
    """When it, or the newest link on the way to it, changed."""
    stamp: tuple[int, int, int, int]

    @property
    def is_link(self) -> bool:
        return self.mode == LINK


def is_unchanged(root: Path, seen: Seen) -> bool:
    """Whether the file is still what was seen. Raises OSError when it is gone."""
    return _stamp(os.lstat(root / seen.real)) == seen.stamp


class Walk:
    """Goes once through the file or folder `name` under `root`.

    A link to what has no name of its own in a release, as those of a mounted ConfigMap are (`etls.py` is a link to
    `..data/etls.py`), stands for the file or folder at its end. Other links are links in the release.
    """

    def __init__(self, root: Path, name: str, bounds: Bounds) -> None:
        self._root = root
        self._name = name
        self._home = name
        self._bounds = bounds
        self._entries = 0
        self._bytes = 0
        self._seen: list[Seen] = []
        self.through: set[str] = set()
        """What links led through, so far."""

    def files(self) -> tuple[Seen, ...]:
        """The files, by path; no pipes, sockets and the like.

        Raises ReleaseFailed for what can't be part of a release, OSError for what can't be read or has just gone.
        """
        self._look(self._name, self._name, (), 0)
        return tuple(sorted(self._seen, key=lambda seen: seen.path))

    def _look(self, path: str, real: str, inside: tuple[str, ...], since_ns: int) -> None:
        found = os.lstat(self._root / real)
        if stat.S_ISLNK(found.st_mode):
            target = self._target(path, real)
            if target is None:
                self._add(Seen(path, real, LINK, found.st_size, max(found.st_ctime_ns, since_ns), _stamp(found)))
                return
            real, since_ns = target.real, max(since_ns, target.changed_ns)
            found = os.lstat(self._root / real)
        if stat.S_ISDIR(found.st_mode):
            self._enter(path, real, inside, since_ns)
        elif stat.S_ISREG(found.st_mode):
            mode = EXECUTABLE if found.st_mode & 0o100 else "100644"
            self._add(Seen(path, real, mode, found.st_size, max(found.st_ctime_ns, since_ns), _stamp(found)))

    def _enter(self, path: str, real: str, inside: tuple[str, ...], since_ns: int) -> None:
        if not inside:
            self._home = real
        if real in inside:
            raise _refused(f"{path} is a symbolic link to a folder that it is in; remove it")
        if len(inside) >= self._bounds.depth:
            raise _refused(f"{path} is too deep; use fewer folders inside each other")
        for name in self._names(real):
            check_name(path, os.fsencode(name))
            self._look(f"{path}/{name}", f"{real}/{name}", (*inside, real), since_ns)

    def _names(self, real: str) -> list[str]:
        with os.scandir(self._root / real) as entries:
            parts = (entry.name for entry in entries if not is_ignored(entry.name))
            names = sorted(islice(parts, self._bounds.files + 1))
        self._entries += len(names)
        if self._entries > self._bounds.files:
            raise _refused(
                f"{self._name} holds more than {self._bounds.files:,} files and folders; move some elsewhere"
            )
        return names

    def _target(self, path: str, link: str) -> Target | None:
        """What the link stands for, or None for one that is a link in the release too."""
        target = follow(self._root, link, path)
        self.through |= target.through
        if not target.through:
            check_link(path, os.fsencode(os.readlink(self._root / link)))
            return None
        if not target.exists:
            raise refused(self._root, link, path, "which is not there; remove the link, or add what it leads to")
        if path != self._name and not target.is_within(self._home):
            raise refused(self._root, link, path, f"outside of {self._name}; put the file itself there")
        return target

    def _add(self, seen: Seen) -> None:
        self._bytes += seen.size
        if self._bytes > self._bounds.bytes:
            raise _refused(
                f"{self._name} holds more than {self._bounds.bytes / 1e6:,.0f} MB; move large files elsewhere"
            )
        self._seen.append(seen)


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


def _refused(message: str) -> ReleaseFailed:
    return ReleaseFailed(message, stage="checkout")
