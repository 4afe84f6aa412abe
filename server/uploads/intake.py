"""Where what is handed in lies, until it is a change of a model's folder."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.files.model_folders import MANIFEST
from server.uploads.archive import unpack
from server.uploads.errors import TooManyUploads, UploadTooLarge, not_kept

_MOST_COMING_IN = 4
"""Uploads of which the disk holds a part at one time."""
_ZIP = "archive.zip"


class Received:
    """A folder for one change, with the zip that was sent in it, if one was."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        """What the model's folder is to hold; there once one of the methods has written it."""
        self._folder = folder

    async def unpack(self, model: str, most_bytes: int) -> None:
        """Raises ArchiveInvalid."""
        self.files.mkdir()
        await asyncio.to_thread(unpack, self._folder / _ZIP, model, self.files, most_bytes)

    def write_manifest(self, text: bytes) -> None:
        """That is all that changes."""
        self.files.mkdir()
        (self.files / MANIFEST).write_bytes(text)

    async def remove(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


class Intake:
    """Writes down what comes in, within bounds."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """What a killed daemon left in `folder` goes. `most_bytes`: of one upload."""
        shutil.rmtree(folder, ignore_errors=True)
        self.most_bytes = most_bytes
        self._folder = folder
        self._coming_in = 0

    async def receive(self, zipped: AsyncIterator[bytes]) -> Received:
        """A folder with the zip in it. Raises TooManyUploads, UploadTooLarge, NotKept."""
        with self._one_more(), self.keeping():
            folder = self._new_folder()
            try:
                await self._write(zipped, folder / _ZIP)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return Received(folder)

    def empty(self) -> Received:
        """A folder with nothing in it. Raises NotKept."""
        with self.keeping():
            return Received(self._new_folder())

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Raises NotKept for what a disk refuses."""
        try:
            yield
        except OSError as error:
            raise not_kept(error, self._folder) from error

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        if self._coming_in >= _MOST_COMING_IN:
            raise TooManyUploads(f"{_MOST_COMING_IN} uploads are coming in, as many as may; try again soon")
        self._coming_in += 1
        try:
            yield
        finally:
            self._coming_in -= 1

    def _new_folder(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="upload-", dir=self._folder))

    async def _write(self, zipped: AsyncIterator[bytes], to: Path) -> None:
        size = 0
        with to.open("wb", buffering=0) as file:
            async for piece in zipped:
                size += len(piece)
                if size > self.most_bytes:
                    raise UploadTooLarge(f"an upload has at most {self.most_bytes // 2**20:,} MB (UPLOAD_MAX_MB)")
                await asyncio.to_thread(file.write, piece)  # a full or slow disk holds up nobody else
