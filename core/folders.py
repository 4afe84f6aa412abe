"""Folders in which anything may lie, as deep as anybody likes: a model's own code has made them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path


def bytes_in(folder: Path) -> int:
    """Of all files in it, however deep; what can't be read, or goes meanwhile, counts nothing."""
    return sum(size for _, size, _ in files_in(folder))


def files_in(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of change (in nanoseconds) of all that is in it and is no folder, in no order. What can't be
    read, or goes meanwhile, is left out."""
    folders = [str(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as found:
            for entry in found:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        seen = entry.stat(follow_symlinks=False)
                        yield entry.path, seen.st_size, seen.st_mtime_ns


def remove_tree(folder: Path) -> None:
    """Remove it with all that is in it, as far as that can be done, whatever modes its folders have.

    Each folder in it is moved to the top before it is emptied, so that no path becomes too long and nothing recurses.
    `shutil.rmtree` gives up a thousand folders deep.
    """
    if folder.is_symlink() or not folder.is_dir():
        with suppress(OSError):
            folder.unlink()
        return
    aside, numbers = f"{folder}/.removed-{os.urandom(8).hex()}", count()
    folders = [str(folder)]
    for emptied in folders:  # which grows meanwhile
        for inside in _emptied(emptied):
            moved = f"{aside}-{next(numbers)}"
            try:
                os.rename(inside, moved)
            except OSError:  # it is another user's: then it is emptied where it is
                moved = inside
            folders.append(moved)
    for emptied in reversed(folders):
        with suppress(OSError):
            os.rmdir(emptied)


def _emptied(folder: str) -> list[str]:
    """Remove the files in it; the folders in it, made writable where they are ours, since only such can be moved."""
    inside = []
    with suppress(OSError):
        os.chmod(folder, 0o700)
    with suppress(OSError):
        with os.scandir(folder) as found:
            entries = list(found)
        for entry in entries:
            if _is_folder(entry):
                with suppress(OSError):
                    os.chmod(entry.path, 0o700)
                inside.append(entry.path)
            else:
                with suppress(OSError):
                    os.unlink(entry.path)
    return inside


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
