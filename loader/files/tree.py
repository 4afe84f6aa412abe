"""The files under a tree of the repository, refused before they reach the disk if they could do harm there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import ReleaseFailed
from loader.files.git_objects import EXECUTABLE, FOLDER, LINK, SUBMODULE, Entry, Objects


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a symbolic link, of a release."""

    path: str
    """From the folder that holds the model's folder."""
    mode: str
    """`100644`, `100755`, or `120000` for a link."""
    id: str
    """Of its blob."""
    size: int
    """Bytes of its blob."""

    @property
    def is_link(self) -> bool:
        return self.mode == LINK


@dataclass(frozen=True)
class Bounds:
    """How much a release may hold."""

    files: int = 20_000
    """Files and folders."""
    bytes: int = 20_000_000_000
    depth: int = 64
    """Folders inside each other."""


DEFAULT_BOUNDS = Bounds()


def list_files(folder: str, tree: str, objects: Objects, bounds: Bounds) -> list[File]:
    """The files under `tree`, which goes by the name of `folder`.

    Raises ReleaseFailed, naming the path, for what must not reach a disk: symbolic links that leave the folder,
    submodules, odd paths, too many files or bytes.
    """
    files: list[File] = []
    seen = 0
    size = 0
    for path, entry in _walk(folder, tree, objects, bounds.depth):
        seen += 1
        if seen > bounds.files:
            raise _refused(f"{folder} holds more than {bounds.files:,} files and folders; move some elsewhere")
        if entry.mode == FOLDER:
            continue
        file = File(path, _mode(path, entry), entry.id, objects.size(entry.id))
        size += file.size
        if size > bounds.bytes:
            raise _refused(f"{folder} holds more than {bounds.bytes / 1e6:,.0f} MB; move large files elsewhere")
        if file.is_link:
            check_link(path, objects.blob(file.id) if file.size <= _LONGEST_PATH else b"")
        files.append(file)
    return files


def check_name(folder: str, name: bytes) -> None:
    """Raises ReleaseFailed for a name that could do harm, or that could not be shown."""
    shown = f"{folder}/{name.decode('utf-8', 'backslashreplace')}"
    if len(name) > _LONGEST_NAME or len(shown) > _LONGEST_PATH:
        raise _refused(f"{shown[:200]!r}… is too long; give it a shorter name")
    if _ODD.search(name) or not _is_utf8(name):
        raise _refused(f"{shown!r} is an odd name; rename it without '/', line breaks and the like, in UTF-8")
    if name.lower().rstrip(b". ") in _GITS_OWN or name in (b"", b".", b".."):
        raise _refused(f"{shown!r} is a name that git keeps for itself; remove it from the repository")


def check_link(path: str, target: bytes) -> None:
    """Raises ReleaseFailed for a symbolic link that leaves the first folder of its path.

    It may lead up only at its beginning. There each ".." leaves a real folder, so that counting them is enough. Further
    on it might leave a folder by way of another link, and end up anywhere.
    """
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    ups = next((at for at, part in enumerate(parts) if part != b".."), len(parts))
    if (
        not target
        or target.startswith(b"/")
        or ups >= path.count("/")
        or b".." in parts[ups:]
        or _ODD_TARGET.search(target)
    ):
        shown = target.decode("utf-8", "backslashreplace") or "a path that is too long"
        raise _refused(
            f"{path} is a symbolic link to {shown!r}, outside of {path.split('/')[0]}; commit the file itself"
        )


def _walk(path: str, tree: str, objects: Objects, depth: int) -> Iterator[tuple[str, Entry]]:
    if depth == 0:
        raise _refused(f"{path} is too deep; use fewer folders inside each other")
    names: set[bytes] = set()
    for entry in objects.tree(tree):
        check_name(path, entry.name)
        if entry.name in names:
            raise _refused(f"{path}/{entry.name.decode()} is there twice; commit the folder again with a git of today")
        names.add(entry.name)
        below = f"{path}/{entry.name.decode()}"
        yield below, entry
        if entry.mode == FOLDER:
            yield from _walk(below, entry.id, objects, depth - 1)


def _mode(path: str, entry: Entry) -> str:
    if entry.mode == SUBMODULE:
        raise _refused(f"{path} is a submodule, which is not followed; commit the files themselves")
    if entry.mode == LINK:
        return LINK
    if not entry.is_file:
        raise _refused(f"{path} is of a kind that is not known (mode {entry.mode}); commit it as a file")
    return EXECUTABLE if int(entry.mode, 8) & 0o100 else "100644"


_LONGEST_NAME = 255
_LONGEST_PATH = 1024
_ODD_TARGET = re.compile(rb"[\x00-\x1f\x7f]")
_ODD = re.compile(rb"[\x00-\x1f\x7f/\\]")
_GITS_OWN = frozenset({b".git", b"git~1"})


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refused(message: str) -> ReleaseFailed:
    return ReleaseFailed(message, stage="checkout")
