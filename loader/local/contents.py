"""What the files of a local folder hold, by hash."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from loader.files.objects import LINK
from loader.files.tree import File
from loader.local.tree import Seen, look_at, open_plain


class Unsettled(Exception):
    """Somebody is changing the folder right now."""


class Contents:
    """Hashes files, once for as long as they stay as they are, and copies them."""

    def __init__(self, root: Path, known: Mapping[Seen, str] | None = None) -> None:
        self._root = root
        self._hashes = dict(known or {})
        self._paths: dict[str, str] = {}

    def another(self) -> Contents:
        """One that knows the same hashes, for another thread."""
        return Contents(self._root, self._hashes)

    def files(self, seen: Iterable[Seen]) -> list[File]:
        """The files with the hashes of their contents. Raises Unsettled when one changes meanwhile."""
        return [File(one.path, one.mode, self._hash(one), one.size) for one in seen]

    def forget(self, but: Iterable[Seen]) -> None:
        """Keep no hash of a file that is no longer as it was."""
        kept = {one: self._hashes[one] for one in but if one in self._hashes}
        self._hashes = kept
        self._paths = {hash: one.path for one, hash in kept.items()}

    def blob(self, id: str) -> bytes:
        """What is in a small file, or in a link. Raises Unsettled when that has changed."""
        path = self._root / self._paths[id]
        if path.is_symlink():
            return os.fsencode(os.readlink(path))
        content = BytesIO()
        self.copy(id, content)
        return content.getvalue()

    def copy(self, id: str, to: BinaryIO) -> None:
        """Copy the file with the hash `id`. Raises Unsettled when it holds something else by now."""
        digest = sha256()
        with self._open(id) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                to.write(piece)
        if digest.hexdigest() != id:
            raise Unsettled(f"{self._paths[id]} has changed")

    def _open(self, id: str) -> BinaryIO:
        try:
            return open_plain(self._root / self._paths[id])
        except OSError as error:
            raise Unsettled(f"{self._paths[id]} can't be read: {error.strerror}") from error

    def _hash(self, seen: Seen) -> str:
        if seen not in self._hashes:
            self._hashes[seen] = self._read(seen)
        self._paths[self._hashes[seen]] = seen.path
        return self._hashes[seen]

    def _read(self, seen: Seen) -> str:
        path = self._root / seen.path
        try:
            if seen.mode == LINK:
                return sha256(b"link " + os.fsencode(os.readlink(path))).hexdigest()
            with open_plain(path) as file:
                hash = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Unsettled(f"{seen.path} can't be read: {error.strerror}") from error
        if look_at(self._root, seen.path) != [seen]:
            raise Unsettled(f"{seen.path} has changed")
        return hash


def folder_id(files: Iterable[File]) -> str:
    """Hash over the files' paths, modes and contents."""
    digest = sha256()
    for file in files:
        digest.update(f"{file.mode} {file.path}\0{file.id}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:40]


_PIECE = 1 << 20
