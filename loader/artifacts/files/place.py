"""Where artifacts and results are kept: what ARTIFACTS says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import StoreUnavailable
from loader.artifacts.files.deadlines import Deadlines
from loader.artifacts.files.files import Files
from loader.artifacts.files.guarded_files import GuardedFiles
from loader.artifacts.files.local_files import LocalFiles
from loader.artifacts.files.object_stores import connect
from loader.artifacts.files.remote_files import RemoteFiles

CLAIM = Path("/artifacts")
"""Where the volume of `pvc://CLAIM/PATH` is mounted, in the server and in the pods of runs."""


def folder_of(address: str) -> Path:
    """The folder that a `file` or `pvc` address names."""
    parts = urlsplit(address)
    path = unquote(parts.path)
    return CLAIM / path.strip("/") if parts.scheme == "pvc" else Path(path)


def open_files(address: str, data: Path) -> Files:
    """The store at `address`; where that is empty, the one in the folder `data`. Asks no store elsewhere anything yet.

    Raises StoreUnavailable where a folder can't be made.
    """
    if address and urlsplit(address).scheme not in ("file", "pvc"):
        return GuardedFiles(RemoteFiles(partial(connect, address)), address, deadlines=Deadlines())
    folder = folder_of(address) if address else data / "artifacts"
    try:
        files = LocalFiles(folder)
    except OSError as error:
        raise StoreUnavailable(
            f"the folder {folder} can't be made: {error.strerror}; see to its permissions"
        ) from error
    return GuardedFiles(files, str(folder), deadlines=Deadlines())
