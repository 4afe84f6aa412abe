"""Files and folders that processes hold, each by a lock that ends with it: so the others can tell them from rubbish."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ASIDE = ".tmp-"
"""How the names of what is being written begin."""
YOUNG_S = 60.0
"""What was made so lately may be about to be locked."""


@contextmanager
def locked_aside(parent: Path) -> Iterator[Path]:
    """A new folder to write to, held until the end; what is still there then is removed."""
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=parent))
    os.chmod(aside, 0o755)
    descriptor = os.open(aside, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield aside
    finally:
        os.close(descriptor)
        shutil.rmtree(aside, ignore_errors=True)


def held(path: Path) -> int | None:
    """A descriptor that holds the path until it is closed; None where nothing is there."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)
    return None


def remove_unless_held(path: Path) -> bool:
    """Whether this removed it."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return is_locked(descriptor) and _is_at(descriptor, path) and _removed(path)
        finally:
            os.close(descriptor)
    return False


def is_locked(descriptor: int) -> bool:
    """Whether it is held alone now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _removed(path: Path) -> bool:
    if not path.is_dir():
        path.unlink()
        return True
    aside = path.rename(path.with_name(f"{ASIDE}removed-{os.urandom(6).hex()}"))
    shutil.rmtree(aside)
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether what was opened is what is there by now."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
