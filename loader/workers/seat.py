"""One worker's place in a pool: whoever sits there is replaced when it ends."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from core.errors import ReleaseFailed
from loader.workers.process import Launch, WorkerProcess
from loader.workers.report import Happening, Report
from worker.protocol import Raised

log = logging.getLogger("pawl.pool")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_STABLE_S = 60.0
"""A worker that lived as long starts its back-off anew."""
CRASHES = 5
"""Ends in a row, none of them after a stable life, that make a seat one whose workers keep crashing."""

MakeLaunch = Callable[[], Awaitable[Launch]]
"""Makes a fresh Launch, with a socket of its own. Raises ReleaseFailed."""


class Seat:
    """`await fill()`, then `keep()` for as long as a worker should sit here."""

    def __init__(
        self,
        make_launch: MakeLaunch,
        *,
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> None:
        """`changed` is called when another worker sits here than before, or none."""
        self.worker: WorkerProcess | None = None
        """Ready to answer."""
        self.process: WorkerProcess | None = None
        """The same, or one that is still being started."""
        self._make_launch = make_launch
        self._changed = changed
        self._report = report
        self._crashes = 0
        self._since = time.monotonic()

    @property
    def crashing(self) -> bool:
        is_stable = self.worker is not None and time.monotonic() - self._since > _STABLE_S
        return self._crashes >= CRASHES and not is_stable

    async def fill(self) -> None:
        """Raises ReleaseFailed."""
        self.process = WorkerProcess(await self._make_launch(), self._raised)
        try:
            await self.process.start()
        except BaseException:
            self.process = None
            raise
        self.worker, self._since = self.process, time.monotonic()

    async def keep(self) -> None:
        """Replace the worker whenever it ends, with a pause that grows while they end quickly."""
        while True:
            await self._until_it_ends()
            await self._replace()

    async def _until_it_ends(self) -> None:
        assert self.worker is not None
        ended = self.worker
        reason = await ended.wait()
        self.worker = self.process = None
        self._crashes = 1 if time.monotonic() - self._since > _STABLE_S else self._crashes + 1
        self._changed()
        self._tell(Happening.LOST, f"its worker {reason}", ended.last_words)
        await asyncio.shield(ended.kill(reason))  # with what it has forked

    async def _replace(self) -> None:
        while self.worker is None:
            if self._crashes == CRASHES:
                self._tell(Happening.CRASHING, f"its worker ended {CRASHES} times; it is started ever more rarely")
            await asyncio.sleep(pause_s(self._crashes))
            try:
                await self.fill()
            except ReleaseFailed as failure:
                self._crashes += 1
                self._tell(Happening.LOST, f"its worker could not be replaced: {failure}", failure.detail)
            except Exception:
                self._crashes += 1
                log.exception("a failure of Pawl's own while replacing a worker; it is tried again")
        self._changed()
        self._tell(Happening.REPLACED, "its worker was replaced")

    def _tell(self, happening: Happening, message: str, detail: str = "") -> None:
        self._report(Report(happening, message, detail))

    def _raised(self, raised: Raised) -> None:
        self._tell(Happening.RAISED, f"{raised.message} (error id {raised.error_id})", raised.traceback)


def pause_s(crashes: int) -> float:
    """Seconds before the next start after so many ends in a row."""
    return 0.0 if crashes <= 1 else float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(crashes - 2, 30)))
