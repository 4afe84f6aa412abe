"""A store of objects: each is written whole or not at all, and the manifest of many after them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from loader.artifacts.files.exclusive_writes import take_turn
from loader.artifacts.files.files import MOST_READ, Stored, Tree, read_each
from loader.artifacts.files.object_stores import list_folder
from loader.artifacts.folder import copy_as


class RemoteFiles:
    """`connect` gives a `pyarrow.fs.FileSystem` and a folder in it; it is asked at the first call, and after a failure.

    `step` is told of each step of a write.
    """

    def __init__(
        self,
        connect: Callable[[], tuple[Any, str]],
        step: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._step = step
        self._now = now

    def read(self, name: str) -> bytes:
        with self._open(name) as stream:
            content: bytes = stream.read(MOST_READ + 1)
        if len(content) > MOST_READ:
            raise OSError(f"{name} holds more than {MOST_READ:,} bytes")
        return content

    def read_each(self, names: Sequence[str]) -> list[bytes | None]:
        return read_each(self.read, names)

    def write(self, name: str, content: bytes) -> None:
        stream = self._fs.open_output_stream(self._path(name), compression=None)
        stream.write(content)
        stream.close()

    def create(self, name: str, content: bytes) -> bool:
        if self.find([name]):
            return False
        with take_turn(self, name):
            self._step("turn")
            if self.find([name]):
                return False
            self.write(name, content)
            self._step("named")
        return True

    def put(self, tree: Tree) -> None:
        for entry in tree.files:
            stream = self._fs.open_output_stream(self._path(f"{tree.at}/files/{entry.name}"), compression=None)
            copy_as(tree.source, entry, stream.write)
            self._step("file half")
            stream.close()
            self._step("file")
        name, content = tree.last
        self.write(f"{tree.at}/{name}", content)
        self._step("last")

    def touch(self, name: str) -> None:
        self.write(name, self.read(name))

    def get(self, file: Stored, into: Path) -> None:
        with self._open(file.name) as stream, open(into, "xb") as out:
            while piece := stream.read(_PIECE):
                out.write(piece)

    def local(self, name: str) -> Path | None:
        return None

    def files(self, under: str) -> list[Stored]:
        start = len(self._path(under)) + 1
        return [_stored(one, one.path[start:]) for one in self._list(under) if one.is_file]

    def folders(self, under: str) -> list[str]:
        """By what is in them: Google's store tells of folders only where somebody made them."""
        return sorted({file.name.split("/")[0] for file in self.files(under) if "/" in file.name})

    def find(self, names: Sequence[str]) -> list[Stored]:
        if not names:
            return []
        found = self._fs.get_file_info([self._path(name) for name in names])
        there = [_stored(one, name) for name, one in zip(names, found, strict=True) if one.is_file]
        if not there:
            self._check_root()
        return there

    def drop(self, name: str) -> None:
        """Remove one object."""
        self._fs.delete_file(self._path(name))

    def remove(self, at: str, first: str) -> None:
        if not self.find([f"{at}/{first}"]):
            raise FileNotFoundError(at)
        self.drop(f"{at}/{first}")
        self._step("hidden")
        self._remove_folder(at)

    def tidy(self) -> None:
        for folder, last in (("artifacts", "manifest.json"), ("turns", None)):
            for name in self.folders(folder):
                files = self.files(f"{folder}/{name}")
                is_whole = any(file.name == last for file in files)
                newest = max((file.changed for file in files), default=0.0)
                if not is_whole and newest < self._now() - _UNFINISHED_S:
                    self._remove_folder(f"{folder}/{name}")

    @cached_property
    def _place(self) -> tuple[Any, str]:
        return self._connect()

    @property
    def _fs(self) -> Any:
        return self._place[0]

    def _path(self, name: str) -> str:
        return f"{self._place[1]}/{name}"

    def _open(self, name: str) -> Any:
        try:
            # Told of no compression, pyarrow would look at the name and unpack what ends in .gz.
            return self._fs.open_input_stream(self._path(name), compression=None)
        except FileNotFoundError:
            self._check_root()
            raise

    def _list(self, under: str) -> list[Any]:
        found = list_folder(self._fs, self._path(under))
        if not found:
            self._check_root()
        return found

    def _remove_folder(self, name: str) -> None:
        """In some stores a folder is there as long as something is in it."""
        if self._list(name):
            self._fs.delete_dir(self._path(name))

    def _check_root(self) -> None:
        """A bucket that is gone holds nothing, which is not what it held."""
        bucket = self._place[1].split("/")[0]
        if self._fs.get_file_info(bucket).type.name == "NotFound":
            raise OSError(f"there is no bucket {bucket}")


_PIECE = 1 << 20
_UNFINISHED_S = 86_400.0
"""Without a change for so long, an upload has ended, however slow it was."""


def _stored(info: Any, name: str) -> Stored:
    return Stored(name, info.size or 0, (info.mtime_ns or 0) / 1e9)
