"""The SQLite file in DATA_DIR, which is ours: whether it can hold the registry, and setting it aside if it can't."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

_KEPT = 3
"""Files that were set aside; the oldest beyond them is removed."""
_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a database, and what the database is not whole without."""
VERSION_TABLE = "pawl_alembic_version"
"""What Pawl's databases have, but for those of the first edition."""
_COLUMNS = {"id", "at", "kind", "model", "version", "commit", "message", "detail"}


def fault_of(path: Path, *, is_thorough: bool) -> str | None:
    """Why the file can't hold the registry; None if it can, is not there, or can't be judged now (a disk that fails).

    To be thorough takes reading all of it.
    """
    if not os.path.lexists(path):
        return None
    if not path.is_file():
        return "it is not a file"
    if not os.access(path, os.R_OK | os.W_OK):
        return "its permissions don't let us read and write it"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)) as connection:
            return _fault_in(connection, is_thorough)
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError as error:
        return str(error)


def make_private(path: Path) -> None:
    """Let its owner alone read it, from its first byte on; SQLite gives the files beside it the same permissions."""
    with suppress(OSError):  # SQLite says what is wrong with the place
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)


def set_aside(path: Path) -> Path:
    """Where it is now. Raises OSError."""
    stem = f"{path.name}.set-aside-"
    aside = path.with_name(stem + datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ"))
    path.rename(aside)
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    for old in sorted(one for one in path.parent.glob(f"{stem}*") if one.name.endswith("Z"))[:-_KEPT]:
        for each in (old, *(old.with_name(old.name + ending) for ending in _BESIDE)):
            _remove(each)
    return aside


def _fault_in(connection: sqlite3.Connection, is_thorough: bool) -> str | None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = {row[1] for row in connection.execute("PRAGMA table_info(events)")}
    if tables and VERSION_TABLE not in tables and not columns >= _COLUMNS:
        return "it is another program's database"
    if is_thorough:
        [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
        return None if found == "ok" else str(found)
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
