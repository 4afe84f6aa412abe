"""Ends what a killed daemon leaves: git, uv, and all processes that the authors' code has started.

Workers and gateways die with the daemon by themselves (PR_SET_PDEATHSIG). The others descend from the daemon, or
have its mark in their environment, by which a process of the reaper's own finds them once the daemon has gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import uuid
from pathlib import Path

from core.process import descendants
from core.process.ends import end_of
from core.settings.reading import scrubbed
from server.process.reaping import MARK, reap

__all__ = ["MARK", "Reaper", "reap", "start_reaper"]

log = logging.getLogger("pawl")

_ROOT = Path(__file__).parents[2]
_PAUSE_S = 1.0
"""Between two starts at least."""


class Reaper:
    """Starts the process that waits for the daemon's end, and starts it again if it ends before."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._environ = {name: value for name, value in scrubbed(os.environ).items() if name != MARK}
        # The writing end is ours alone: it closes when we end, however we do.
        self._reader, self._writer = os.pipe()
        mark = os.environ[MARK] = uuid.uuid4().hex
        ours = descendants.mark_this_process()
        self._arguments = [mark, *([str(ours.mark), str(ours.mask)] if ours else [])]
        self._process = self._start()

    async def keep(self) -> None:
        """Start another process whenever this one ends."""
        while True:
            await end_of(self._process)
            log.warning("the reaper, which ends what a killed daemon leaves, was ended; another takes its place")
            try:
                self._process = self._start()
            except OSError as error:
                log.warning("the reaper can't be started: %s; it is tried again", error)
            await asyncio.sleep(_PAUSE_S)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-E", "-S", "-m", "server.process.reaping", str(self._reader), *self._arguments],
            cwd=_ROOT,
            env=self._environ,
            pass_fds=(self._reader,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def start_reaper() -> Reaper:
    """Call before anything is started that must not outlive this process. Raises OSError."""
    return Reaper()
