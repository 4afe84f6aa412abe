"""An attempt's own copy of the code: what it writes there changes neither the commit's data nor another attempt."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from fcntl import ioctl
from functools import partial
from pathlib import Path

CODE = "code"
"""Its folder in that of the attempt."""
_IS_ROOT = os.geteuid() == 0
_FICLONE = 0x40049409
"""`ioctl_ficlone(2)`: the copy shares the disk's blocks until one of the two is written to."""


def copy_code(root: Path, into: Path, *, links: bool = not _IS_ROOT) -> None:
    """Folders are the attempt's own. Files share their content with those of `root` where the file system can have that
    and keep them apart; else, with `links`, they are those of `root`, which are read-only. As root could write to them,
    it gets whole copies. Raises OSError.
    """
    other_way: Callable[[str, str], object] = _link if links else shutil.copy2
    try:
        shutil.copytree(root, into, symlinks=True, copy_function=partial(_clone, other_way))
    except shutil.Error as error:
        [(_, _, first), *_] = error.args[0]
        raise OSError(first) from error
    for folder, _, _ in os.walk(into):  # those of `root` are sealed
        os.chmod(folder, 0o755)


def remove_code(code: Path) -> None:
    """Of an attempt that has ended: one copy of a run's code is enough."""
    shutil.rmtree(code, ignore_errors=True)


def _clone(other_way: Callable[[str, str], object], source: str, target: str) -> None:
    if not os.path.isfile(source):  # to open a pipe would wait for who writes to it
        shutil.copy2(source, target)
        return
    try:
        with open(source, "rb") as there, open(target, "xb") as here:
            ioctl(here, _FICLONE, there.fileno())
        shutil.copystat(source, target)
    except OSError:  # most file systems can't
        Path(target).unlink(missing_ok=True)
        other_way(source, target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
