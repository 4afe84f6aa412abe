"""Large files that the repository holds only pointers to, kept by their hash."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from core.errors import Heals
from loader.files.pointer import Pointer, checked, failed
from loader.repository.remote import Remote


class LfsStore:
    """Large files by their hash in `folder`, each complete or absent; releases are hard-linked to them."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        self._folder = folder
        self._remote = remote

    def path(self, pointer: Pointer) -> Path:
        return _place(self._folder, pointer)

    def fetch(self, pointers: Iterable[Pointer]) -> None:
        """See that the files are here. Raises ReleaseFailed, naming the first that can't be had."""
        missing = [pointer for pointer in pointers if not self.path(pointer).is_file()]
        if not missing:
            return
        scheme = self._remote.address.scheme
        if scheme == "file":
            self._copy(missing)
        elif scheme == "ssh":
            message = "is in Git LFS, which is not read over ssh; set gitPath to the repository's https address"
            raise failed(missing[0], message, heals=Heals.NEVER)
        else:
            self._download(missing)

    def tidy(self) -> None:
        """Remove what no release links to any more, and what was left unfinished."""
        for path in self._folder.glob("*/*/*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                # The youngest may belong to a release that is about to link to them.
                if found.st_nlink == 1 and time.time() - found.st_mtime > _KEPT_UNLINKED_S:
                    path.unlink()

    def _copy(self, pointers: Iterable[Pointer]) -> None:
        root = self._remote.address.path
        stores = list(_stores(root))
        for pointer in pointers:
            places = (_place(store, pointer) for store in stores)
            source = next((place for place in places if place.is_file()), None)
            if source is None:
                raise failed(pointer, f"is in Git LFS, and {root} does not hold its content; run git lfs fetch there")
            with open(source, "rb") as content:
                self._put(pointer, iter(lambda: content.read(_PIECE), b""))

    def _download(self, pointers: list[Pointer]) -> None:
        # Most repositories hold no large files: they need not wait for an HTTP client at the start.
        from loader.repository.lfsweb import LfsServer

        with LfsServer(self._remote) as server:
            for pointer, content in server.download(pointers):
                self._put(pointer, content)

    def _put(self, pointer: Pointer, content: Iterator[bytes]) -> None:
        path = self.path(pointer)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                for piece in checked(pointer, content):
                    file.write(piece)
                file.flush()
                os.fchmod(descriptor, 0o444)
                os.fsync(descriptor)
            os.rename(aside, path)
        except BaseException:
            os.unlink(aside)
            raise


_PIECE = 1 << 20
_KEPT_UNLINKED_S = 3600.0


def _place(objects: Path, pointer: Pointer) -> Path:
    return objects / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid


def _stores(root: Path) -> Iterator[Path]:
    """Where a repository on this machine may keep large files: a bare one, one with a working tree, or a worktree."""
    for folder in (root, root / ".git", root.with_name(f"{root.name}.git")):
        if folder.is_file():
            folder = root / folder.read_text().removeprefix("gitdir:").strip()
        if (folder / "commondir").is_file():
            folder = folder / (folder / "commondir").read_text().strip()
        yield folder / "lfs" / "objects"
