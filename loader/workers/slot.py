"""One worker's place in a pool: when the worker ends, another is started in its place."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from core.errors import ReleaseFailed
from core.task import spawn
from loader.workers.process.worker_process import Launch, WorkerProcess
from loader.workers.report import Happening, Report
from worker.wire.messages import Raised

log = logging.getLogger("pawl.pool")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_STABLE_S = 60.0
"""A worker that ran for so long was stable: the pause before the next restart is the shortest again."""
CRASHES = 5
"""So many ends in a row, with no worker stable in between, are a crash loop."""

MakeLaunch = Callable[[], Awaitable[Launch]]
"""Makes a fresh Launch, with a socket of its own. Raises ReleaseFailed."""


class WorkerSlot:
    """`await fill()`, then `supervise()` for as long as the slot should have a worker."""

    def __init__(
        self,
        make_launch: MakeLaunch,
        *,
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> None:
        """`changed` is called when the slot's worker is another one than before, or none."""
        self.worker: WorkerProcess | None = None
        """Ready to answer."""
        self.process: WorkerProcess | None = None
        """The same, or one that is still being started."""
        self.leaving: dict[WorkerProcess, asyncio.Task[None]] = {}
        """Workers that were replaced and still answer requests, with the tasks that drain them."""
        self._make_launch = make_launch
        self._changed = changed
        self._report = report
        self._crashes = 0
        self._since = time.monotonic()
        self._retired = asyncio.Event()

    @property
    def processes(self) -> tuple[WorkerProcess, ...]:
        return (*(() if self.process is None else (self.process,)), *self.leaving)

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

    async def supervise(self) -> None:
        """Replace the worker whenever it ends, with a pause that grows while they end quickly."""
        while True:
            await self._until_it_ends()
            await self._replace()

    def retire(self, why: str, where: str, within_s: float) -> None:
        """Replace the worker, which answers the requests that it has and ends within that time."""
        if self.worker is None:
            return
        leaving = self.worker
        self.leaving[leaving] = end = spawn(leaving.drain(within_s, some_hang=True), "end of a worker that hangs")
        end.add_done_callback(lambda _: self.leaving.pop(leaving, None))
        self._lose(why, where)
        self._retired.set()

    async def _until_it_ends(self) -> None:
        """Return when the worker ends, or is retired."""
        assert self.worker is not None
        here = self.worker
        end, retired = asyncio.ensure_future(here.wait()), asyncio.ensure_future(self._retired.wait())
        try:
            await asyncio.wait((end, retired), return_when=asyncio.FIRST_COMPLETED)
        finally:
            end.cancel()
            retired.cancel()
        if self._retired.is_set():
            self._retired.clear()
        else:
            self._lose(end.result(), here.last_output)
            await asyncio.shield(here.kill(end.result()))  # with what it has forked

    def _lose(self, why: str, where: str) -> None:
        self.worker = self.process = None
        self._crashes = 1 if time.monotonic() - self._since > _STABLE_S else self._crashes + 1
        self._changed()
        self._say(Happening.LOST, f"its worker {why}", where)

    async def _replace(self) -> None:
        while self.worker is None:
            if self._crashes == CRASHES:
                self._say(Happening.CRASHING, f"its worker ended {CRASHES} times; it is started ever more rarely")
            await asyncio.sleep(pause_s(self._crashes))
            try:
                await self.fill()
            except ReleaseFailed as failure:
                self._crashes += 1
                self._say(Happening.LOST, f"its worker could not be replaced: {failure}", failure.detail)
            except Exception:
                self._crashes += 1
                log.exception("a failure of Pawl's own while replacing a worker; it is tried again")
        self._changed()
        self._say(Happening.REPLACED, "its worker was replaced")

    def _say(self, happening: Happening, message: str, detail: str = "") -> None:
        self._report(Report(happening, message, detail))

    def _raised(self, raised: Raised) -> None:
        self._say(Happening.RAISED, f"{raised.message} (error id {raised.error_id})", raised.traceback)


def pause_s(crashes: int) -> float:
    """Seconds before the next start after so many ends in a row."""
    return 0.0 if crashes <= 1 else float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(crashes - 2, 30)))
