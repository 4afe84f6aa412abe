"""What the files of a local folder hold, by hash."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from hashlib import sha1, sha256
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.errors import ReleaseFailed
from loader.files.tree import File
from loader.sources.local.plain_files import open_plain
from loader.sources.local.walk import Seen, is_unchanged

if TYPE_CHECKING:
    from hashlib import _Hash as Hash


class StillChanging(Exception):
    """Some process is changing the folder right now."""


class Contents:
    """Hashes files, once for as long as they stay as they are, and copies them."""

    def __init__(self, root: Path, known: Mapping[Seen, str] | None = None) -> None:
        self._root = root
        self._hashes = dict(known or {})
        self._places: dict[str, Seen] = {}
        self._git_ids: dict[str, str] = {}
        """By the hash of the same content."""

    def another(self) -> Contents:
        """A copy with the same hashes, for another thread."""
        copy = Contents(self._root, self._hashes)
        copy._git_ids = dict(self._git_ids)
        return copy

    def git_id(self, id: str) -> str:
        """What git would call the content with the hash `id`, a blob."""
        return self._git_ids[id]

    def files(self, seen: Iterable[Seen]) -> list[File]:
        """The files with the hashes of their contents. Raises StillChanging when one changes meanwhile."""
        return [File(one.path, one.mode, self._hash(one), one.size) for one in seen]

    def forget(self, but: Iterable[Seen]) -> None:
        """Keep no hash of a file that is no longer as it was."""
        kept = {one: self._hashes[one] for one in but if one in self._hashes}
        self._hashes = kept
        self._git_ids = {hash: self._git_ids[hash] for hash in kept.values()}
        self._places = {hash: one for one, hash in kept.items()}

    def blob(self, id: str) -> bytes:
        """What is in a small file, or in a link. Raises StillChanging when that has changed."""
        place = self._places[id]
        if place.is_link:
            return self._target(place)
        content = BytesIO()
        self.copy(id, content)
        return content.getvalue()

    def copy(self, id: str, to: BinaryIO) -> None:
        """Copy the file with the hash `id`. Raises StillChanging when it holds something else by now."""
        digest = sha256()
        with self._open(self._places[id]) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                to.write(piece)
        if digest.hexdigest() != id:
            raise StillChanging(f"{self._places[id].path} has changed")

    def _open(self, seen: Seen) -> BufferedReader:
        try:
            return open_plain(self._root / seen.real)
        except OSError as error:
            raise _unreadable(seen, error) from error

    def _target(self, seen: Seen) -> bytes:
        try:
            return os.fsencode(os.readlink(self._root / seen.real))
        except OSError as error:
            raise _unreadable(seen, error) from error

    def _hash(self, seen: Seen) -> str:
        if seen not in self._hashes:
            self._hashes[seen] = self._read(seen)
        self._places[self._hashes[seen]] = seen
        return self._hashes[seen]

    def _read(self, seen: Seen) -> str:
        if seen.is_link:
            target = self._target(seen)
            hash = sha256(b"link " + target).hexdigest()
            self._git_ids[hash] = _blob(len(target), target).hexdigest()
            return hash
        try:
            with self._open(seen) as file:
                hash, git_id, size = _digests(file, seen.size)
            is_same = is_unchanged(self._root, seen)
        except OSError as error:
            raise _unreadable(seen, error) from error
        if not is_same or size != seen.size:
            raise StillChanging(f"{seen.path} has changed")
        self._git_ids[hash] = git_id
        return hash


def _unreadable(seen: Seen, error: OSError) -> Exception:
    """What is replaced or removed just now settles; what must not be read, or can't be, does not."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ESTALE):
        return StillChanging(f"{seen.path} is replaced: {error.strerror}")
    return ReleaseFailed(f"{seen.path} can't be read: {error.strerror}; see to its permissions", stage="checkout")


def _digests(file: BinaryIO, size: int) -> tuple[str, str, int]:
    """SHA-256, what git calls a blob of that size, and how many bytes there were."""
    plain, blob, read = sha256(), _blob(size), 0
    while piece := file.read(_PIECE):
        read += len(piece)
        plain.update(piece)
        blob.update(piece)
    return plain.hexdigest(), blob.hexdigest(), read


def _blob(size: int, content: bytes = b"") -> Hash:
    return sha1(b"blob %d\0" % size + content, usedforsecurity=False)


def folder_id(files: Iterable[File]) -> str:
    """Hash over the files' paths, modes and contents."""
    digest = sha256()
    for file in files:
        digest.update(f"{file.mode} {file.path}\0{file.id}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:40]


_PIECE = 1 << 20
