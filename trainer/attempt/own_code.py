"""An attempt's own copy of the code: what it writes there changes neither the commit's data nor another attempt."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_IS_ROOT = os.geteuid() == 0


def copy_code(root: Path, into: Path, *, links: bool = not _IS_ROOT) -> None:
    """Folders are the attempt's own. With `links` its files are those of `root`, which are read-only; but root could
    write to them. Raises OSError.
    """
    try:
        shutil.copytree(root, into, symlinks=True, copy_function=_link if links else shutil.copy2)
    except shutil.Error as error:
        [(_, _, first), *_] = error.args[0]
        raise OSError(first) from error
    for folder, _, _ in os.walk(into):  # those of `root` are sealed
        os.chmod(folder, 0o755)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
