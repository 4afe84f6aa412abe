"""A store in a folder of this machine, or in one that is mounted here."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from loader.artifacts.files.files import MOST_READ, Stored, Tree, read_each
from loader.artifacts.folder import copy_as
from loader.artifacts.locked_paths import ASIDE, YOUNG_S, locked_aside, remove_unless_held


class LocalFiles:
    """Everything is written aside, onto the disk, and renamed. `step` is told of each step of it."""

    def __init__(
        self, root: Path, step: Callable[[str], None] = lambda _: None, now: Callable[[], float] = time.time
    ) -> None:
        self._root = root
        self._step = step
        self._now = now
        root.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> bytes:
        try:
            with open(self._root / name, "rb") as file:
                content = file.read(MOST_READ + 1)
        except FileNotFoundError:
            self._check_root()
            raise
        if len(content) > MOST_READ:
            raise OSError(errno.EFBIG, f"{name} holds more than {MOST_READ:,} bytes")
        return content

    def read_each(self, names: Sequence[str]) -> list[bytes | None]:
        return read_each(self.read, names)

    def write(self, name: str, content: bytes) -> None:
        self._check_root()
        with self._written(self._root / name, content) as aside:
            aside.rename(self._root / name)

    def create(self, name: str, content: bytes) -> bool:
        self._check_root()
        path = self._root / name
        if path.exists():
            return False
        with self._written(path, content) as aside:
            return _link_or_rename(aside, path)

    def put(self, tree: Tree) -> None:
        self._check_root()
        path = self._root / tree.at
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked_aside(path.parent) as aside:
            self._step("aside")
            for entry in tree.files:
                target = aside / "files" / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "xb") as file:
                    copy_as(tree.source, entry, file.write)
                    _settle(file.fileno())
                self._step("file")
            name, content = tree.last
            _write(aside / name, content)
            _sync_folders(aside)
            self._step("last")
            _rename(aside, path)
            self._step("renamed")
            _sync(path.parent)

    def touch(self, name: str) -> None:
        self._check_root()
        os.utime(self._root / name)

    def get(self, file: Stored, into: Path) -> None:
        shutil.copyfile(self._root / file.name, into)

    def local(self, name: str) -> Path | None:
        return self._root / name

    def files(self, under: str) -> list[Stored]:
        self._check_root()
        root = self._root / under
        found = (f"{where}/{name}" for where, _, names in _visible(root) for name in names)
        return sorted((_stored(path, str(root)) for path in found), key=lambda file: file.name)

    def folders(self, under: str) -> list[str]:
        self._check_root()
        root = self._root / under
        _, folders, _ = next(_visible(root), ("", [], []))
        return sorted(folders)

    def find(self, names: Sequence[str]) -> list[Stored]:
        self._check_root()
        return [_stored(f"{self._root}/{name}", str(self._root)) for name in names if (self._root / name).is_file()]

    def remove(self, at: str, first: str) -> None:
        self._check_root()
        path = self._root / at
        path.lstat()  # where the disk is read-only, the renaming says nothing of whether it is there
        aside = path.with_name(f"{ASIDE}removed-{path.name}-{os.urandom(6).hex()}")
        path.rename(aside)
        self._step("hidden")
        shutil.rmtree(aside)

    def tidy(self) -> None:
        for where, folders, names in os.walk(self._root):
            for name in [name for name in [*folders, *names] if name.startswith(ASIDE)]:
                self._remove_left(Path(where) / name)
            folders[:] = [name for name in folders if not name.startswith(ASIDE)]

    def _check_root(self) -> None:
        """A folder that was unmounted or removed holds nothing, which is not what it held."""
        if not self._root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "the folder is gone", str(self._root))

    def _remove_left(self, aside: Path) -> None:
        with suppress(OSError):
            if aside.stat().st_mtime < self._now() - YOUNG_S:
                remove_unless_held(aside)

    @contextmanager
    def _written(self, path: Path, content: bytes) -> Iterator[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{ASIDE}{os.urandom(6).hex()}")
        try:
            with open(aside, "xb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(content)
                file.flush()
                _settle(file.fileno())
                self._step("written")
                yield aside
            self._step("named")
            _sync(path.parent)
        finally:
            aside.unlink(missing_ok=True)


_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


def _rename(aside: Path, path: Path) -> None:
    try:
        aside.rename(path)
    except OSError:
        if not path.is_dir():
            raise
        # Another was faster, with the same content.


def _link_or_rename(aside: Path, path: Path) -> bool:
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    except OSError as error:
        # Some mounts have no links: there, two who write in the same moment may both succeed, one over the other.
        if error.errno not in _NO_LINKS:
            raise
        aside.rename(path)
    return True


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        _settle(file.fileno())


def _settle(descriptor: int) -> None:
    os.fchmod(descriptor, 0o444)
    os.fsync(descriptor)


def _sync_folders(root: Path) -> None:
    for where, _, _ in os.walk(root, topdown=False):
        _sync(Path(where))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _visible(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`, without what is being written. Raises OSError but for a root that isn't there."""
    for where, folders, names in os.walk(root, onerror=_unless_missing):
        folders[:] = [name for name in folders if not name.startswith(ASIDE)]
        yield where, folders, [name for name in names if not name.startswith(ASIDE)]


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _stored(path: str, root: str) -> Stored:
    found = os.stat(path)
    return Stored(path[len(root) + 1 :], found.st_size, found.st_mtime)
