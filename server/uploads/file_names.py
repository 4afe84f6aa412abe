"""Names of files that git, or a clone of it on another system, does not hold as they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

_OF_GIT = frozenset({".git", "git~1"})
"""The second is the first on a disk of Windows with short names."""


def is_of_git(part: str) -> bool:
    """Whether some system takes that part of a path for `.git`, which git then takes into no commit.

    Windows drops dots and spaces from the end, macOS characters that nobody sees (CVE-2014-9390; git's `path.c` and
    `utf8.c`: `is_ntfs_dotgit`, `is_hfs_dotgit`).
    """
    seen = "".join(each for each in part if unicodedata.category(each) != "Cf")
    return seen.rstrip(". ").lower() in _OF_GIT


def colliding(paths: Iterable[PurePosixPath]) -> tuple[PurePosixPath, PurePosixPath] | None:
    """Two files or folders that are one where case, or how an accent is encoded, does not count (Windows, macOS)."""
    seen: dict[str, PurePosixPath] = {}
    for path in paths:
        for each in (path, *path.parents):
            if (other := seen.setdefault(folded(str(each)), each)) != each:
                return other, each
    return None


def folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
