"""The file that a server in the background prints to, kept within a bound. A server that prints elsewhere is not
concerned: whoever has its output looks after that."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("pawl")

NAME = "log"
"""In DATA_DIR; beside it is `log.1`, what was printed before."""
_MOST_BYTES = 32 << 20
_STANDARD_ERROR = 2


class OwnLog:
    """That file, of this process if it prints to it."""

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES, printed_to: int = _STANDARD_ERROR) -> None:
        """`printed_to`: the descriptor that this process prints to."""
        self._path = folder / NAME
        self._most_bytes = most_bytes
        self._printed_to = printed_to

    @property
    def is_ours(self) -> bool:
        """Whether this process prints to it."""
        return self._size() is not None

    async def bound(self) -> None:
        """Set aside what it holds if that is too much. What is printed in the same moment may be lost."""
        if (self._size() or 0) > self._most_bytes:
            await asyncio.to_thread(self._set_aside)
            log.info("the log was full: %s.1 beside it has what it held", NAME)

    def _size(self) -> int | None:
        """None where it is not ours."""
        try:
            here, there = os.fstat(self._printed_to), os.stat(self._path)
        except OSError:
            return None
        return here.st_size if os.path.samestat(here, there) else None

    def _set_aside(self) -> None:
        """By a copy: several processes print to this file, and all of them append."""
        aside = self._path.with_suffix(".tmp")
        try:
            with (
                open(self._path, "rb") as source,
                open(aside, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as target,
            ):
                shutil.copyfileobj(source, target)
            aside.replace(self._path.with_suffix(".1"))
        except OSError as error:
            log.warning("what the log held is lost, for it could not be set aside: %s", error)
            with suppress(OSError):
                aside.unlink()
        finally:
            os.truncate(self._path, 0)
