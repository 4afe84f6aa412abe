"""Writes a revision's files, from the mirror and from earlier releases that hold the same."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from core.errors import ReleaseFailed
from core.release import Revision
from loader.files.file_list import Blob, Held, Recorded, held_beside, sha256_of, write_file_list
from loader.files.git_objects import EXECUTABLE, Objects
from loader.files.lfs_pointers import Pointer, find_pointers
from loader.files.model_folders import REQUIREMENTS
from loader.files.tree import Bounds, File, list_files


class Contents(Protocol):
    """What files hold, by id."""

    def blob(self, id: str) -> bytes: ...

    def copy(self, id: str, to: BinaryIO) -> None: ...


class LargeFiles(Protocol):
    """Where the files are that pointers stand for."""

    def path(self, pointer: Pointer) -> Path: ...

    def fetch(self, pointers: Iterable[Pointer]) -> None:
        """See that the files are there. Raises ReleaseFailed, naming the first that can't be had."""
        ...

    def tidy(self) -> None:
        """Remove what no release links to any more."""
        ...


def check_out(revision: Revision, into: Path, objects: Objects, lfs: LargeFiles, bounds: Bounds) -> None:
    """Write the revision into the empty folder `into`: a folder for each of its folders, and the default requirements.

    What an earlier release beside `into` holds already is hard-linked. Files and folders end up read-only and on disk.
    Raises ReleaseFailed for a revision that must not reach the disk, MirrorDamaged for one that can't be read.
    """
    files = _list(revision, objects, bounds)
    earlier = _earlier(files, into)
    large = find_pointers((file for file in files if (file.mode, file.id) not in earlier), objects.blob)
    _check_size(revision, files, large, bounds)
    _drop_changed(large.values(), lfs)
    lfs.fetch(large.values())
    stored = {("100644", id): Held(lfs.path(file), file.size, file.oid) for id, file in large.items()}
    contents = _Resolved(objects, {id: lfs.path(pointer) for id, pointer in large.items()})
    _write(files, revision.folders, into, contents, earlier | stored)
    if large:
        lfs.tidy()


def _list(revision: Revision, objects: Objects, bounds: Bounds) -> list[File]:
    files = [file for folder, tree in revision.folders.items() for file in list_files(folder, tree, objects, bounds)]
    if revision.default_requirements is not None:
        id = revision.default_requirements
        files.append(File(REQUIREMENTS, "100644", id, objects.size(id)))
    return files


def write(files: Iterable[File], folders: Iterable[str], into: Path, contents: Contents) -> None:
    """Write the files into `into`, where each of `folders` will be, empty or not."""
    files = list(files)
    _write(files, folders, into, contents, _earlier(files, into))


def _write(
    files: Iterable[File], folders: Iterable[str], into: Path, contents: Contents, earlier: Mapping[Blob, Held]
) -> None:
    for folder in folders:
        (into / folder).mkdir()
    record = {file.path: _put(file, into, earlier, contents) for file in files}
    write_file_list(into, record)
    seal(into)


def seal(root: Path) -> None:
    """Make everything under `root` read-only and see it onto the disk; linked files are both already."""
    for where, _, names in os.walk(root, topdown=False):
        for name in names:
            path = os.path.join(where, name)
            if not os.path.islink(path) and os.lstat(path).st_mode & 0o222:
                os.chmod(path, os.lstat(path).st_mode & 0o555)
                sync(path)
        os.chmod(where, 0o555)
        sync(where)


def sync(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(file: File, into: Path, earlier: Mapping[Blob, Held], contents: Contents) -> Recorded:
    target = into / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.is_link:
        target.symlink_to(os.fsdecode(contents.blob(file.id)))
        return Recorded(file.mode, file.id, file.size)
    if held := earlier.get((file.mode, file.id)):
        with contextlib.suppress(OSError):
            os.link(held.path, target)
            return Recorded(file.mode, file.id, held.size, held.sha256)
    mode = 0o755 if file.mode == EXECUTABLE else 0o644
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        contents.copy(file.id, out)
    return Recorded(file.mode, file.id, target.stat().st_size, sha256_of(target))


def _earlier(files: Iterable[File], into: Path) -> dict[Blob, Held]:
    return held_beside(into, {(file.mode, file.id) for file in files})


def _drop_changed(pointers: Iterable[Pointer], lfs: LargeFiles) -> None:
    """Large files that hold something else by now: the releases that were linked to them could write to them."""
    for pointer in pointers:
        path = lfs.path(pointer)
        if path.is_file() and sha256_of(path) != pointer.oid:
            path.unlink()


def _check_size(revision: Revision, files: Iterable[File], large: Mapping[str, Pointer], bounds: Bounds) -> None:
    size = sum(large[file.id].size if file.id in large else file.size for file in files)
    if size > bounds.bytes:
        raise ReleaseFailed(
            f"{revision.model} holds {size / 1e6:,.0f} MB, more than {bounds.bytes / 1e6:,.0f}; move some elsewhere",
            stage="checkout",
        )


class _Resolved:
    """Contents in which files stand for the pointers to them."""

    def __init__(self, objects: Contents, large: Mapping[str, Path]) -> None:
        self._objects = objects
        self._large = large

    def blob(self, id: str) -> bytes:
        return self._objects.blob(id)

    def copy(self, id: str, to: BinaryIO) -> None:
        if id in self._large:
            with open(self._large[id], "rb") as file:
                shutil.copyfileobj(file, to, 1 << 20)
        else:
            self._objects.copy(id, to)
