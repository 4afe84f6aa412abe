"""An attempt's own copy of the code: what it writes there changes neither the commit's data nor another attempt."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def copy_code(root: Path, into: Path) -> None:
    """Folders are the attempt's own. Its files are links to read-only ones; root could write to them, and gets copies.

    Raises OSError.
    """
    try:
        shutil.copytree(root, into, symlinks=True, copy_function=shutil.copy2 if os.geteuid() == 0 else _link)
    except shutil.Error as error:
        [(_, _, first), *_] = error.args[0]
        raise OSError(first) from error


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
