"""The files of the mirror besides objects and refs: Pawl's own, and none by which a model could command git."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path


def lay(path: Path) -> None:
    """Make `path` an empty bare repository, or take out of the one that is there what isn't ours. Raises OSError.

    A model of the same user can write there: a configuration that sends a password elsewhere, hooks, another
    repository's objects, attributes, grafts. Whatever git reads but objects and refs is written anew, or goes.
    """
    for folder in (path, path / "objects", path / "refs"):
        if folder.is_symlink() or not folder.is_dir():
            remove(folder)
            folder.mkdir(parents=True)
    _write(path / "HEAD", b"ref: refs/heads/none\n")
    _write(path / "config", b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    remove(path / "objects" / "info")
    for found in path.iterdir():
        if found.name not in _OURS and found.suffix != ".lock":
            remove(found)


def sweep(path: Path) -> None:
    """Remove what a killed git leaves: locks, and packs that never came to their end. No git writes here now."""
    left_over = (
        "*.lock", "refs/**/*.lock", "objects/**/*.lock", "objects/**/tmp_*", "objects/pack/.tmp-*", "gc.pid"
    )  # fmt: skip
    for pattern in left_over:
        for file in path.glob(pattern):
            remove(file)


def remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


_OURS = frozenset({"HEAD", "config", "objects", "refs", "packed-refs", "shallow", "lfs"})


def _write(path: Path, content: bytes) -> None:
    """See that the file holds that, whatever is there."""
    with contextlib.suppress(OSError):
        if not path.is_symlink() and path.read_bytes() == content:
            return
    aside = path.with_name(f"{path.name}.lock")
    remove(aside)
    aside.write_bytes(content)
    if path.is_dir() and not path.is_symlink():
        remove(path)
    aside.rename(path)
