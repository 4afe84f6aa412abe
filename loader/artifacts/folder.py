"""A folder that is about to become an artifact: what is in it, refused where a store could not keep it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from core.errors import ArtifactRefused
from loader.artifacts.manifest import ArtifactManifest, Entry, is_plain


@dataclass(frozen=True)
class Bounds:
    """How much one artifact may hold."""

    files: int = 10_000
    """Files and folders."""
    bytes: int = 20_000_000_000
    depth: int = 32
    """Folders inside each other."""


def scan(folder: Path, bounds: Bounds) -> ArtifactManifest:
    """The files in `folder`, each read once. Raises ArtifactRefused, naming what can't be kept.

    A symbolic link stands for what it leads to, which must be in the folder too; empty folders are left out.
    """
    root = folder.resolve()
    entries: list[Entry] = []
    left = bounds.bytes
    for count, (name, path) in enumerate(_walk(root, root, "", bounds), 1):
        if count > bounds.files:
            raise ArtifactRefused(
                f"the output folder holds more than {bounds.files:,} files and folders; pack them into an archive"
            )
        if path is not None:
            entry = _hash(name, path, left, bounds)
            left -= entry.size
            entries.append(entry)
    return ArtifactManifest(tuple(sorted(entries, key=lambda entry: entry.name)))


def copy_as(folder: Path, entry: Entry, write: Callable[[bytes], object]) -> None:
    """Hand the file's content to `write`. Raises ArtifactRefused when it is no longer what was seen of it."""
    digest = sha256()
    with open_regular(folder / entry.name, entry.name) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            write(piece)
    if digest.hexdigest() != entry.sha256:
        raise ArtifactRefused(f"{entry.name} changed while it was stored; end what writes to it before the run returns")


def open_regular(path: Path, name: str) -> BinaryIO:
    """Raises ArtifactRefused for what isn't a file, or can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ArtifactRefused(f"{name} can't be read: {error.strerror}; see to its permissions") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactRefused(f"{name} is no longer a file; end what writes to it before the run returns")
    return open(descriptor, "rb")


def _walk(folder: Path, root: Path, prefix: str, bounds: Bounds) -> Iterator[tuple[str, Path | None]]:
    """Names, and where the files are that go by them; None for a folder."""
    if prefix.count("/") > bounds.depth:
        raise ArtifactRefused(f"{prefix[:200]} is more than {bounds.depth} folders deep; leave fewer inside each other")
    try:
        with os.scandir(folder) as found:
            children = sorted(found, key=lambda child: child.name)
    except OSError as error:
        where = prefix or "the output folder"
        raise ArtifactRefused(f"{where} can't be read: {error.strerror}; leave it there, readable") from error
    for child in children:
        name = prefix + child.name
        if not is_plain(name):
            raise ArtifactRefused(
                f"{name!r} is a name that not every store takes; use a shorter one of printable signs"
            )
        path = _resolved(Path(child.path), root, name) if child.is_symlink() else Path(child.path)
        kind = _kind_of(path, name)
        if stat.S_ISDIR(kind):
            yield name, None
            yield from _walk(path, root, f"{name}/", bounds)
        elif stat.S_ISREG(kind):
            yield name, path
        else:
            raise ArtifactRefused(f"{name} is a {_kind(kind)}; leave only files and folders in the output folder")


def _resolved(link: Path, root: Path, name: str) -> Path:
    try:
        real = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ArtifactRefused(f"{name} is a link to {os.readlink(link)!r}, which leads nowhere; remove it") from error
    if not real.is_relative_to(root):
        raise ArtifactRefused(
            f"{name} is a link to {os.readlink(link)!r}, outside of the output folder; leave a copy of the file there"
        )
    if link.parent.is_relative_to(real):
        raise ArtifactRefused(f"{name} is a link to a folder that it is in; remove it")
    return real


def _hash(name: str, path: Path, left: int, bounds: Bounds) -> Entry:
    digest = sha256()
    size = 0
    with open_regular(path, name) as file:
        _check_size(os.fstat(file.fileno()).st_size, left, name, bounds)  # before what is too large is read
        while piece := file.read(_PIECE):
            size += len(piece)
            _check_size(size, left, name, bounds)
            digest.update(piece)
    return Entry(name, size, digest.hexdigest())


def _check_size(size: int, left: int, name: str, bounds: Bounds) -> None:
    if size > left:
        raise ArtifactRefused(
            f"the output folder holds more than {bounds.bytes / 1e9:,g} GB (at {name}); "
            "leave less, or raise MAX_ARTIFACT_GB"
        )


def _kind_of(path: Path, name: str) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise ArtifactRefused(f"{name} can't be read: {error.strerror}; end what writes to it") from error


def _kind(mode: int) -> str:
    kinds = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
    return kinds.get(stat.S_IFMT(mode), "special file")


_PIECE = 1 << 20
