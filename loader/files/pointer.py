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
    """Blob id → pointer, of the files that are pointers; `blob` reads a small file."""
    small = (file for file in files if not file.is_link and file.size < _LARGEST_POINTER)
    found = ((file, _POINTER.match(blob(file.id))) for file in small)
    return {file.id: Pointer(file.path, match[1].decode(), int(match[2])) for file, match in found if match}


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


_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n"
)
_LARGEST_POINTER = 1024
