"""Where the symbolic links of a local folder lead."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from core.errors import ReleaseFailed
from loader.sources.local.ignored import is_ignored


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads in the end."""

    real: str
    """Its path from the folder that holds the model folders, with no link in it."""
    exists: bool
    through: frozenset[str]
    """The files, folders and links on the way that are not part of a model, by their names."""
    changed_ns: int
    """When the newest of the links on the way was made."""

    def is_within(self, folder: str) -> bool:
        return self.real == folder or self.real.startswith(f"{folder}/")


def follow(root: Path, link: str, name: str) -> Target:
    """Where `link`, a path under `root` with no other link in it, leads; `name` is what messages call it.

    Raises ReleaseFailed for a link that leads out of `root`, or round in a circle.
    """
    *done, last = link.split("/")
    todo = [last]
    through: set[str] = set()
    changed_ns, links = 0, 0
    exists = True
    while todo:
        part = todo.pop()
        if part == "..":
            if not done:
                raise refused(root, link, name, f"outside of {root}; put the file itself there")
            done.pop()
            continue
        here = "/".join((*done, part))
        if links and is_ignored(part):
            through.add(here)
        found = _status(root / here) if exists else None
        exists = found is not None
        if found is None or not stat.S_ISLNK(found.st_mode):
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise refused(root, link, name, "which leads round in a circle; remove it")
        target = os.readlink(root / here)
        if target.startswith("/"):
            raise refused(root, link, name, f"outside of {root}; put the file itself there")
        changed_ns = max(changed_ns, found.st_ctime_ns)
        todo += [part for part in reversed(target.split("/")) if part not in ("", ".")]
    return Target("/".join(done), exists, frozenset(through), changed_ns)


def refused(root: Path, link: str, name: str, why: str) -> ReleaseFailed:
    shown = os.fsencode(os.readlink(root / link)).decode("utf-8", "backslashreplace")
    return ReleaseFailed(f"{name} is a symbolic link to {shown!r}, {why}", stage="checkout")


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


_MOST_LINKS = 40
"""As many as Linux follows."""
