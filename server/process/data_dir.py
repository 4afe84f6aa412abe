"""`DATA_DIR`: taken by one daemon at a time, in a format that it knows."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from core.errors import PawlError
from server.process.running_file import start_of

FORMAT = "1"
LOCK = "lock"
_LONGEST_RUN_PATH = 80
"""A Unix socket's path has at most 107 bytes, and file names follow."""


class DataDirUnusable(PawlError):
    """DATA_DIR can't be used."""


class DataDir:
    """The folder, held until the process ends."""

    def __init__(self, path: Path) -> None:
        """Raises DataDirUnusable."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / LOCK).open("a+")
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._lock.fileno(), 0)
            _check_format(path / "format")
            self.run = _fresh_run(path / "run")
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise _unusable(path, error) from error
            raise

    def close(self) -> None:
        """Let others have the folder."""
        self._lock.close()

    def tell_holder(self) -> None:
        """Let `pawl stop` know this process, before the server can say where it listens. A full disk keeps nobody from
        serving."""
        with suppress(OSError):
            os.write(self._lock.fileno(), f"{os.getpid()} {start_of(os.getpid())}\n".encode())


def holder_of(path: Path) -> int | None:
    """The server that holds the folder, or is about to give it back; None where there is none."""
    try:
        pid, started = map(int, (path / LOCK).read_text().split())
    except (OSError, ValueError):
        return None
    return pid if start_of(pid) == started else None


def _unusable(path: Path, error: OSError) -> DataDirUnusable:
    if isinstance(error, BlockingIOError):
        return DataDirUnusable(f"DATA_DIR {path} is in use by another Pawl; give this one a folder of its own")
    return DataDirUnusable(f"DATA_DIR {path} can't be used: {error}; it must be a folder we can write to")


def _check_format(path: Path) -> None:
    if not path.exists():
        aside = path.with_suffix(".tmp")  # on a full disk an empty file would stay, and be taken for a strange format
        aside.write_text(FORMAT)
        aside.rename(path)
    found = path.read_text().strip()
    if found != FORMAT:
        raise DataDirUnusable(
            f"{path.parent} was written in format {found!r}, and this Pawl knows {FORMAT!r}: "
            "run the version that wrote it, or give DATA_DIR an empty folder (all but the registry comes back from git)"
        )


def _fresh_run(path: Path) -> Path:
    """An empty folder for sockets, for us alone; elsewhere, with a link here, when the path is too long for sockets."""
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
    if len(os.fsencode(path)) <= _LONGEST_RUN_PATH:
        path.mkdir(mode=0o700)
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    elsewhere = Path(tempfile.gettempdir()) / f"pawl-{os.getuid()}-{name}"
    shutil.rmtree(elsewhere, ignore_errors=True)
    elsewhere.mkdir(mode=0o700)
    path.symlink_to(elsewhere)
    return elsewhere
