"""Environments that other processes of ours run in, such as trainings: none of them is removed.

A lock (flock(2)) says so, which ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

_FILE = "packages.json"


def hold(folder: Path) -> bool:
    """Keep the environment for as long as this process lives; False: it has just been removed."""
    try:
        handle = os.open(folder / _FILE, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_SH)
    except OSError:
        return False
    return (folder / _FILE).exists()


def is_held(folder: Path) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError), open(folder / _FILE, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
