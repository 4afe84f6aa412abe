"""Large files that the repository holds only pointers to, kept by their hash."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from loader.files.lfs_pointers import Pointer, Received, failed
from loader.sources.git.lfs.address import LfsAddress, NoLfsServer
from loader.sources.git.lfs.exchanges import Exchanges
from loader.sources.git.lfs.operator_settings import Operator
from loader.sources.git.mirror.stoppable import Stopped
from loader.sources.git.remote import Remote


class LfsStore:
    """Large files by their hash in `folder`, each complete or absent; releases are hard-linked to them."""

    def __init__(self, folder: Path, remote: Remote, address: LfsAddress, operator: Operator) -> None:
        self._folder = folder
        self._remote = remote
        self._address = address
        self._operator = operator
        self._exchanges = Exchanges()

    def path(self, pointer: Pointer) -> Path:
        return _place(self._folder, pointer)

    def fetch(self, pointers: Iterable[Pointer]) -> None:
        """See that the files are here. Raises ReleaseFailed, naming the first that can't be had."""
        missing = [pointer for pointer in pointers if not self.path(pointer).is_file()]
        if missing and self._remote.address.scheme == "file":
            missing = self._copy(missing)
        if missing:
            self._download(missing)

    def stop(self) -> None:
        """End the downloads of other threads; none begins any more."""
        self._exchanges.stop()

    def tidy(self) -> None:
        """Remove what no release links to any more, and what was left unfinished."""
        for path in self._folder.glob("*/*/*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                # The youngest may belong to a release that is about to link to them.
                if found.st_nlink == 1 and time.time() - found.st_mtime > _KEPT_UNLINKED_S:
                    path.unlink()

    def _copy(self, pointers: Iterable[Pointer]) -> list[Pointer]:
        """Those that this machine does not hold."""
        return [pointer for pointer in pointers if not self._copied(pointer)]

    def _copied(self, pointer: Pointer) -> bool:
        root = self._remote.address.path
        try:
            source = _opened(root, pointer)
        except OSError as error:
            raise failed(pointer, f"is in Git LFS and can't be read in {root}: {error}") from error
        if source is None:
            return False
        with source as content, self._putting(pointer) as write:
            while piece := content.read(_PIECE):
                write(piece)
        return True

    def _download(self, pointers: list[Pointer]) -> None:
        try:
            url = self._address.find()
            self._exchanges.run(lambda: self._download_from(url, pointers), self._remote.fetch_timeout_s)
        except NoLfsServer as error:
            raise failed(pointers[0], f"is in Git LFS: {error}") from error
        except Stopped:
            raise failed(pointers[0], "was not fetched from Git LFS before the stop") from None
        except TimeoutError as error:
            late = next((pointer for pointer in pointers if not self.path(pointer).is_file()), pointers[0])
            raise failed(late, "takes too long to come from Git LFS; raise FETCH_TIMEOUT_S") from error

    async def _download_from(self, url: str, pointers: list[Pointer]) -> None:
        # Most repositories hold no large files: they need not wait for an HTTP client at the start.
        from loader.sources.git.lfs.http_client import Web
        from loader.sources.git.lfs.server import LfsServer

        home = self._operator.rewritten(self._remote.address.url)
        async with Web(self._remote, self._operator.reach, home) as web:
            await LfsServer(web, url).download(pointers, self._putting)

    @contextmanager
    def _putting(self, pointer: Pointer) -> Iterator[Callable[[bytes], object]]:
        """A place for the file, which is there once all of it was written. Raises ReleaseFailed for another content."""
        path = self.path(pointer)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        received = Received(pointer)
        try:
            with open(descriptor, "wb") as file:

                def write(piece: bytes) -> None:
                    received.add(piece)
                    file.write(piece)

                yield write
                received.end()
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


def _opened(root: Path, pointer: Pointer) -> BinaryIO | None:
    place = next((place for store in _stores(root) if (place := _place(store, pointer)).is_file()), None)
    return None if place is None else open(place, "rb")


def _stores(root: Path) -> Iterator[Path]:
    """Where a repository on this machine may keep large files: a bare one, one with a working tree, or a worktree."""
    for folder in (root, root / ".git", root.with_name(f"{root.name}.git")):
        if folder.is_file():
            folder = root / folder.read_text().removeprefix("gitdir:").strip()
        if (folder / "commondir").is_file():
            folder = folder / (folder / "commondir").read_text().strip()
        yield folder / "lfs" / "objects"
