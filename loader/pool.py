"""The workers of one release: started and proved together, replaced one by one, drained together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.errors import ReleaseFailed
from core.release import Release
from loader.process import Launch, WorkerProcess
from loader.proof import Example, prove
from worker.client import WorkerLost, connect
from worker.protocol import Description, Raised

log = logging.getLogger("pawl.pool")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_STABLE_S = 60.0
"""A worker that lived as long starts its back-off anew."""
_CRASHES = 5
"""Ends in a row, none of them after a stable life, that make a pool one that keeps crashing."""
_WATCH_S = 0.25
_DRAIN_MARGIN_S = 5.0


class Happening(Enum):
    """What a pool tells about itself."""

    LOST = "worker_lost"
    """A worker ended that should not have."""
    REPLACED = "worker_replaced"
    CRASHING = "crash_loop"
    """Its workers keep ending."""
    RAISED = "request_failed"
    """A request failed in the author's code."""


@dataclass(frozen=True)
class Report:
    happening: Happening
    message: str
    detail: str = ""


class Pool:
    """`await start()`, then `sockets` says where its ready workers listen; `changed` is called when that changes."""

    def __init__(
        self,
        id: str,
        release: Release,
        root: Path,
        launches: Sequence[Callable[[], Launch]],
        examples: Sequence[Example],
        *,
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> None:
        """`root`: folder of the release's files. `launches`: for each worker, what makes a fresh Launch, with a socket
        and a board of its own."""
        self.id = id
        self.release = release
        self.root = root
        self.crashing = False
        self.peak_memory = 0
        """Bytes that its workers together took at most."""
        self._seats = [_Seat(self, make) for make in launches]
        self._examples = examples
        self._changed = changed
        self._report = report
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def sockets(self) -> tuple[str, ...]:
        return tuple(seat.worker.socket for seat in self._seats if seat.worker is not None)

    @property
    def workers(self) -> tuple[WorkerProcess, ...]:
        return tuple(seat.worker for seat in self._seats if seat.worker is not None)

    @property
    def description(self) -> Description:
        """What the first worker found out about the model."""
        assert self._description is not None
        return self._description

    async def start(self) -> None:
        """Raises ReleaseFailed if any worker does not start or answers an example otherwise than it should."""
        starts = [asyncio.create_task(seat.fill(), name=f"start of {self.id}") for seat in self._seats]
        try:
            await asyncio.gather(*starts)
            await asyncio.gather(*(self._prove(worker) for worker in self.workers))
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.wait(starts)
            await self._kill("its release failed")
            raise
        self._description = self.workers[0].description
        keepers = (asyncio.create_task(seat.keep(), name=f"keeper of {self.id}") for seat in self._seats)
        self._tasks = [*keepers, asyncio.create_task(self._watch(), name=f"watch of {self.id}")]

    async def stop(self) -> None:
        """Let the workers finish what they have, at most as long as a request may take; then end them."""
        self._stopping = True
        await _cancel(self._tasks)
        timeout_s = self.release.manifest.serve.timeout_s + _DRAIN_MARGIN_S
        await asyncio.gather(*(worker.drain(timeout_s) for worker in self.workers))

    async def kill(self) -> None:
        """End the workers now."""
        self._stopping = True
        await _cancel(self._tasks)
        await self._kill("the server stops")

    def memory(self) -> int:
        """Bytes that its workers take."""
        used = sum(worker.memory() for worker in self.workers)
        self.peak_memory = max(self.peak_memory, used)
        return used

    async def _prove(self, worker: WorkerProcess) -> None:
        connection = await connect(worker.socket)
        proof = asyncio.create_task(prove(connection, self._examples, self.release.manifest.serve.timeout_s))
        watch = asyncio.create_task(self._end_if_stuck(worker, proof))
        try:
            await proof
        except WorkerLost as error:
            raise ReleaseFailed(f"the worker died of an example: {error}", stage="examples", heals=True) from error
        finally:
            watch.cancel()
            connection.close()

    async def _end_if_stuck(self, worker: WorkerProcess, proof: asyncio.Task[None]) -> None:
        while not proof.done():
            await asyncio.sleep(_WATCH_S)
            await self._check(worker)

    async def _watch(self) -> None:
        """End workers that hang or take too much memory; the keepers replace them."""
        while True:
            await asyncio.sleep(_WATCH_S)
            for worker in self.workers:
                try:
                    await self._check(worker)
                except Exception:
                    log.exception("%s: could not look at its worker", self.id)
            self.memory()

    async def _check(self, worker: WorkerProcess) -> None:
        serve = self.release.manifest.serve
        took_s = worker.board.longest_slice_s()
        if took_s > serve.timeout_s:
            where = await worker.traceback()
            self.tell(Happening.LOST, f"a request ran for {took_s:.0f} s, more than serve.timeout_s allows", where)
            await worker.kill(f"hung for {took_s:.0f} s and was ended")
        elif serve.memory_mb is not None and worker.memory() > serve.memory_mb * 1024 * 1024:
            await worker.kill(f"took more memory than serve.memory_mb ({serve.memory_mb}) allows and was ended")

    async def _kill(self, reason: str) -> None:
        await asyncio.gather(*(worker.kill(reason) for worker in self.workers))

    def tell(self, happening: Happening, message: str, detail: str = "") -> None:
        self._report(Report(happening, message, detail))

    def seat_changed(self) -> None:
        if not self._stopping:
            self._changed()

    def raised(self, raised: Raised) -> None:
        self.tell(Happening.RAISED, f"{raised.message} (error id {raised.error_id})", raised.traceback)


class _Seat:
    """One worker's place in a pool: whoever sits there is replaced when it ends."""

    def __init__(self, pool: Pool, make_launch: Callable[[], Launch]) -> None:
        self.worker: WorkerProcess | None = None
        self._pool = pool
        self._make_launch = make_launch

    async def fill(self) -> None:
        self.worker = await WorkerProcess.start(self._make_launch(), self._pool.raised)

    async def keep(self) -> None:
        """Replace the worker whenever it ends, with a pause that grows while they end quickly."""
        crashes = 0
        while True:
            lived_s = await self._until_it_ends()
            crashes = 1 if lived_s > _STABLE_S else crashes + 1
            self._pool.crashing = crashes >= _CRASHES
            if crashes == _CRASHES:
                self._pool.tell(
                    Happening.CRASHING, f"its worker ended {crashes} times in a row; it is started ever more rarely"
                )
            await self._replace(crashes)

    async def _until_it_ends(self) -> float:
        assert self.worker is not None
        began = time.monotonic()
        reason = await self.worker.wait()
        ended, self.worker = self.worker, None
        self._pool.seat_changed()
        self._pool.tell(Happening.LOST, f"its worker {reason}", ended.last_output())
        await ended.kill(reason)
        return time.monotonic() - began

    async def _replace(self, crashes: int) -> None:
        pause_s = 0.0 if crashes == 1 else min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (crashes - 2))
        while self.worker is None:
            await asyncio.sleep(pause_s)
            try:
                await self.fill()
            except ReleaseFailed as failure:
                pause_s = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, pause_s * 2))
                self._pool.tell(Happening.LOST, f"its worker could not be replaced: {failure}", failure.detail)
        self._pool.seat_changed()
        self._pool.tell(Happening.REPLACED, "its worker was replaced")


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
