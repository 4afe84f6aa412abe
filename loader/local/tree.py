"""Folders on this machine as they stand: what is in them, and whether somebody is still writing to it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from core.errors import ReleaseFailed
from loader.files.objects import EXECUTABLE, LINK
from loader.files.tree import Bounds, check_link, check_name


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a scan saw it; equal to what a later scan sees only if nobody touched it."""

    path: str
    """From the folder that holds the model folders."""
    mode: str
    """As git has it."""
    size: int
    changed_ns: int
    stamp: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in a file or folder; equal to a later scan only if nobody touched anything."""

    seen: tuple[Seen, ...] = ()
    problem: str = ""
    """Why it can't be part of a release."""
    is_moving: bool = False
    """Whether it changed under the eyes."""

    @property
    def is_recent(self) -> bool:
        """Whether something changed lately, or, by the clock of the file system, in the future."""
        return self.is_moving or any(time.time_ns() - one.changed_ns < _RECENT_NS for one in self.seen)


def scan(root: Path, name: str, bounds: Bounds) -> Scan:
    """What is in the file or folder `name` under `root`, but for what editors and Python leave behind."""
    found: list[Seen] = []
    try:
        for path in _paths(root, name, bounds.depth):
            found += look_at(root, path)
            if len(found) > bounds.files:
                return Scan(problem=f"{name} holds more than {bounds.files:,} files; move some elsewhere")
    except FileNotFoundError:
        return Scan(is_moving=True)
    except OSError as error:
        return Scan(problem=f"{error.filename} can't be read: {error.strerror}")
    except ReleaseFailed as refused:
        return Scan(problem=str(refused))
    return Scan(tuple(sorted(found, key=lambda seen: seen.path)))


def look_at(root: Path, path: str) -> list[Seen]:
    """The file at `path`; none for pipes, sockets and the like. Raises ReleaseFailed for a link that leads out."""
    found = os.lstat(root / path)
    stamp = (found.st_mtime_ns, found.st_ino, found.st_dev)
    if stat.S_ISLNK(found.st_mode):
        check_link(path, os.fsencode(os.readlink(root / path)))
        return [Seen(path, LINK, found.st_size, found.st_ctime_ns, stamp)]
    if stat.S_ISREG(found.st_mode):
        mode = EXECUTABLE if found.st_mode & 0o100 else "100644"
        return [Seen(path, mode, found.st_size, found.st_ctime_ns, stamp)]
    return []


def open_plain(path: Path) -> BufferedReader:
    """The file, to be read. Raises OSError for what is not a plain file: a pipe would be waited for without end."""
    return open(path, "rb", opener=_open_plain)


def is_being_written(root: Path, seen: Iterable[Seen]) -> bool:
    """Whether some process has one of the files open for writing, as far as this system can tell."""
    return any(one.mode != LINK and _is_open_for_writing(root / one.path) for one in seen)


def is_ignored(name: str) -> bool:
    """Whether a file or folder of that name is no part of a model."""
    return _IGNORED.fullmatch(name) is not None


_RECENT_NS = 2_000_000_000
_IGNORED = re.compile(
    # Hidden; Python's; backups of vi, Emacs and others; vim's probe for a writable folder; JetBrains' safe writes.
    r"\..*|__pycache__|.*\.pyc|.*~|#.*#|.*\.sw[a-p]|4913|.*___jb_(tmp|old)___",
    re.DOTALL,
)


def _paths(root: Path, path: str, depth: int) -> Iterator[str]:
    if not stat.S_ISDIR(os.lstat(root / path).st_mode):
        yield path
        return
    if depth == 0:
        raise ReleaseFailed(f"{path} is too deep; use fewer folders inside each other", stage="checkout")
    for name in sorted(os.listdir(root / path)):
        if not is_ignored(name):
            check_name(path, os.fsencode(name))
            yield from _paths(root, f"{path}/{name}", depth - 1)


def _open_plain(path: str, flags: int) -> int:
    file = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise OSError(errno.EINVAL, "it is not a plain file", path)


def _is_open_for_writing(path: Path) -> bool:
    """The kernel grants a read lease only on a file that nobody has open for writing."""
    with suppress(OSError), open_plain(path) as file:
        # A writer who comes just now makes the kernel signal the lease's holder; SIGIO would end us, SIGURG does not.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            # Anything else says that leases don't work here: another user's file, a file system without them.
            return error.errno == errno.EAGAIN
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
