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


def open_files(address: str, data: Path) -> Files:
    """The store at `address`; where that is empty, the one in the folder `data`. Asks no store elsewhere anything yet.

    Raises StoreUnavailable where a folder can't be made.
    """
    if address and urlsplit(address).scheme != "file":
        return GuardedFiles(RemoteFiles(partial(connect, address)), address, deadlines=Deadlines())
    folder = Path(unquote(urlsplit(address).path)) if address else data / "artifacts"
    try:
        files = LocalFiles(folder)
    except OSError as error:
        raise StoreUnavailable(
            f"the folder {folder} can't be made: {error.strerror}; see to its permissions"
        ) from error
    return GuardedFiles(files, str(folder), deadlines=Deadlines())
