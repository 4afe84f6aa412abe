"""An attempt is to stop: the signal says that, and a file beside the attempt's others what for."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path

from core.runs.states import RunState

log = logging.getLogger("pawl.trainer")

GRACE_S = 30.0
"""What the code gets to leave a checkpoint."""
CANCEL_GRACE_S = 10.0
_LOOK_S = 2.0
"""Between two looks at whether the attempt's folder is there."""


def tell_why(folder: Path, why: RunState) -> None:
    """To be called before the signal. Raises OSError."""
    aside = folder / ".stop.tmp"
    aside.write_text(why)
    os.replace(aside, folder / "stop")


def told_why(folder: Path) -> RunState | None:
    """None: nobody of ours has said."""
    with suppress(OSError, ValueError):
        return RunState((folder / "stop").read_text())
    return None


class Stop:
    """What the process of the attempt knows of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = asyncio.Event()

    def ask(self) -> None:
        self._asked.set()

    @property
    def is_asked(self) -> bool:
        return self._asked.is_set()

    @property
    def why(self) -> RunState | None:
        return told_why(self._folder)

    @property
    def grace_s(self) -> float:
        return GRACE_S if self.why in (None, RunState.SUPERSEDED) else CANCEL_GRACE_S

    async def wait(self) -> None:
        await self._asked.wait()

    async def ask_once_forgotten(self) -> None:
        """Whoever removed the attempt's folder, or all of DATA_DIR, has left nobody who looks after it."""
        while _is_there(self._folder):  # noqa: ASYNC110  # it is a folder that is looked at
            await asyncio.sleep(_LOOK_S)
        log.warning("the attempt ends, for its folder %s is gone", self._folder)
        self.ask()


def _is_there(folder: Path) -> bool:
    try:
        folder.stat()
    except FileNotFoundError:
        return False
    except OSError:  # a disk that is away for a moment
        return True
    return True
