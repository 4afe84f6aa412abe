"""What stands in a repository for a large file that is kept in Git LFS.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from core.errors import Heals, ReleaseFailed
from loader.files.tree import File


@dataclass(frozen=True, slots=True)
class Pointer:
    """What stands in the repository for a large file."""

    path: str
    """Of the file, for messages."""
    oid: str
    """SHA-256 of the file's content."""
    size: int
    """Bytes of the file."""


def find_pointers(files: Iterable[File], blob: Callable[[str], bytes]) -> dict[str, Pointer]:
    """Blob id → pointer, of the files that are pointers; `blob` reads a small file.

    Raises ReleaseFailed for one that is meant to be a pointer and can't be read as one.
    """
    small = (file for file in files if not file.is_link and file.size < _LARGEST_POINTER)
    found = ((file, _read(file.path, blob(file.id))) for file in small)
    return {file.id: pointer for file, pointer in found if pointer is not None}


def _read(path: str, content: bytes) -> Pointer | None:
    if not _MEANT.match(content):
        return None
    if not (match := _POINTER.fullmatch(content)):
        message = "begins as a pointer of Git LFS and is none that can be read; add the file itself again, and push it"
        raise ReleaseFailed(f"{path} {message}", stage="checkout")
    return Pointer(path, match[1].decode(), int(match[2]))


class Received:
    """Compares what comes for a pointer with what it points to. Raises ReleaseFailed as soon as they differ."""

    def __init__(self, pointer: Pointer) -> None:
        self._pointer = pointer
        self._digest = sha256()
        self._size = 0

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._pointer.size:
            raise self._differs()
        self._digest.update(piece)

    def end(self) -> None:
        if self._size != self._pointer.size or self._digest.hexdigest() != self._pointer.oid:
            raise self._differs()

    def _differs(self) -> ReleaseFailed:
        message = "came from Git LFS with another content than its pointer says; push it again"
        return failed(self._pointer, message)


def failed(pointer: Pointer, message: str, *, heals: Heals = Heals.WITH_MACHINE) -> ReleaseFailed:
    return ReleaseFailed(f"{pointer.path} {message}", stage="checkout", heals=heals)


_MEANT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*version https?://(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)/"
)
"""As a pointer begins, those of old editions of Git LFS too."""
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\r?\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\r?\nsize (\d{1,18})\s*"
)
_LARGEST_POINTER = 1024
