"""The workers of one release: started, tested, watched and drained together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

from core.errors import Heals, ReleaseFailed
from core.release import Release
from core.task import spawn
from loader.workers.examples import DIED, Example, Outcome, run_examples
from loader.workers.fault import Fault, standing_still
from loader.workers.process.heartbeat import CHECK_S, AwakeClock
from loader.workers.process.worker_process import WorkerProcess
from loader.workers.report import Report
from loader.workers.slot import MakeLaunch, WorkerSlot
from worker.wire.client import WorkerConnection, connect
from worker.wire.messages import Description

log = logging.getLogger("pawl.pool")

_MEGABYTE = 1024 * 1024
_DRAIN_MARGIN_S = 5.0
_NOTICE_S = 1.0
"""How long after the end of its connection a worker's own end may come."""


class Pool:
    """`await start()`, then `sockets` says where its ready workers listen; `changed` is called when that changes."""

    def __init__(
        self,
        id: str,
        release: Release,
        root: Path,
        launches: Sequence[MakeLaunch],
        examples: Sequence[Example],
        *,
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> None:
        """`root`: folder of the release's files. `launches`: one for each worker."""
        self.id = id
        self.release = release
        self.root = root
        self.peak_memory = 0
        """Bytes that its workers together took at most."""
        self.over = False
        """Whether the pool has stopped, or failed to start."""
        self.outcomes: list[tuple[Example, Outcome]] = []
        """What its first worker answered to the examples, in order, as far as they were sent."""
        self._report = report
        self._slots = [WorkerSlot(make, changed=self._slot_changed, report=self._slot_reports) for make in launches]
        self._examples = examples
        self._changed = changed
        self._slot_tasks: list[asyncio.Task[None]] = []
        self._ends: dict[WorkerProcess, asyncio.Task[None]] = {}
        """Of workers that are being ended because a check found a fault."""
        self._clock = AwakeClock()
        self._stopping = False
        self._description: Description | None = None

    @property
    def sockets(self) -> tuple[str, ...]:
        return tuple(worker.socket for worker in self.workers)

    @property
    def workers(self) -> tuple[WorkerProcess, ...]:
        """Those that are ready."""
        return tuple(slot.worker for slot in self._slots if slot.worker is not None)

    @property
    def processes(self) -> tuple[WorkerProcess, ...]:
        """Also those that are being started, or were replaced and answer what they have."""
        return tuple(process for slot in self._slots for process in slot.processes)

    @property
    def crashing(self) -> bool:
        """Whether its workers keep ending."""
        return any(slot.crashing for slot in self._slots)

    @property
    def is_ready(self) -> bool:
        """Whether it has started, and was tested."""
        return self._description is not None

    @property
    def description(self) -> Description:
        """What the first worker found out about the model."""
        assert self._description is not None
        return self._description

    async def start(self, progress: Callable[[str], object] = str) -> None:
        """Raises ReleaseFailed if any worker does not start or answers an example otherwise than it should.

        `progress` gets the stage that begins once they have started.
        """
        starts = [asyncio.create_task(slot.fill(), name=f"start of {self.id}") for slot in self._slots]
        try:
            await asyncio.gather(*starts)
            progress("examples")
            await _all(self._run_examples(worker) for worker in self.workers)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.wait(starts)
            await asyncio.shield(self.kill("its release failed"))
            raise
        self._description = self.workers[0].description
        self._slot_tasks = [spawn(slot.supervise(), f"supervision of {self.id}") for slot in self._slots]

    async def stop(self, timeout_s: float | None = None) -> None:
        """End each worker once it has answered its requests, for which it gets `timeout_s`, or as long as a request may
        take."""
        if timeout_s is None:
            timeout_s = self.release.manifest.serve.timeout_s + _DRAIN_MARGIN_S
        await self._stop_replacing()
        leaving = [end for slot in self._slots for end in slot.leaving.values()]
        await asyncio.gather(*(worker.drain(timeout_s) for worker in self.workers), *leaving)
        self.over = True

    async def kill(self, reason: str = "was ended because the server stops") -> None:
        """End the workers now."""
        await self._stop_replacing()
        await asyncio.gather(*(worker.kill(reason) for worker in self.processes))
        self.over = True

    def report_to(self, report: Callable[[Report], None]) -> None:
        """Tell somebody else from now on what happens to its workers."""
        self._report = report

    def check(self, *, measure: bool) -> None:
        """End workers that hang or take too much memory; their slots replace them. `start` has a check of its own for
        workers that run the examples, and workers that drain are not checked."""
        if not self._slot_tasks or self._stopping:
            return
        self._ends = {worker: end for worker, end in self._ends.items() if not end.done()}
        for worker in self.workers:
            try:
                self._check_worker(worker)
            except Exception:
                log.exception("%s: could not check its worker", self.id)
        if measure:
            self.memory()

    def memory(self) -> int:
        """Bytes that its workers take."""
        used = sum(worker.memory() for worker in self.processes)
        self.peak_memory = max(self.peak_memory, used)
        return used

    async def _stop_replacing(self) -> None:
        """From now on a worker that ends is not replaced."""
        self._stopping = True
        tasks = [*self._slot_tasks, *self._ends.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run_examples(self, worker: WorkerProcess) -> None:
        try:
            connection = await connect(worker.socket)
        except OSError as error:
            raise await _death(worker, f"the worker can't be reached ({error})") from error
        timeout_s = self.release.manifest.serve.timeout_s
        answered = self._note if worker is self.workers[0] else _ignore
        examples = asyncio.create_task(
            run_examples(connection, self._examples, timeout_s, worker.traceback_of, answered)
        )
        watch = asyncio.create_task(self._end_if_stuck(worker, examples))
        try:
            await examples
            self._check_size(worker)
        except ReleaseFailed as failure:
            raise await _explained(failure, worker, connection) from failure
        finally:
            examples.cancel()
            watch.cancel()
            connection.close()

    def _check_size(self, worker: WorkerProcess) -> None:
        """A release that takes too much from the start would be live and never answer: it must not replace another."""
        allowed_mb, used = self.release.manifest.serve.memory_mb, worker.memory()
        if allowed_mb is not None and used > allowed_mb * _MEGABYTE:
            took = f"its worker takes {used // _MEGABYTE} MB once it is loaded and has answered its examples"
            raise ReleaseFailed(
                f"{took}, and serve.memory_mb allows {allowed_mb}: raise that, or have the model take less",
                stage="memory",
            )

    def _note(self, example: Example, outcome: Outcome) -> None:
        self.outcomes.append((example, outcome))

    async def _end_if_stuck(self, worker: WorkerProcess, examples: asyncio.Task[None]) -> None:
        while not examples.done():
            await asyncio.sleep(CHECK_S)
            if fault := self._fault(worker):
                await _end(worker, fault)

    def _check_worker(self, worker: WorkerProcess) -> None:
        if worker not in self._ends and (fault := self._fault(worker)):
            end = self._retire(worker, fault) if fault.others_can_go_on else _end(worker, fault)
            self._ends[worker] = spawn(end, f"end of a worker of {self.id}")

    async def _retire(self, worker: WorkerProcess, fault: Fault) -> None:
        """Replace the worker now, and end it once it has answered its other requests."""
        where = await worker.traceback()
        for slot in self._slots:
            if slot.worker is worker:
                slot.retire(fault.what, where, self.release.manifest.serve.timeout_s + _DRAIN_MARGIN_S)

    def _fault(self, worker: WorkerProcess) -> Fault | None:
        serve = self.release.manifest.serve
        if fault := standing_still(worker.heartbeat.read(self._clock.read()), serve):
            return fault
        if serve.memory_mb is not None and worker.memory() > serve.memory_mb * _MEGABYTE:
            return Fault(f"took more memory than serve.memory_mb ({serve.memory_mb}) allows and was ended")
        return None

    def _slot_reports(self, report: Report) -> None:
        self._report(report)

    def _slot_changed(self) -> None:
        if not self._stopping:
            self._changed()


def _ignore(example: Example, outcome: Outcome) -> None:
    """The first worker's answers stand for all."""


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Until each has ended, however the others did; then raise what the first of them did that failed."""
    for end in await asyncio.gather(*works, return_exceptions=True):
        if end is not None:
            raise end


async def _end(worker: WorkerProcess, fault: Fault) -> None:
    where = await worker.traceback() if fault.tell_where else ""
    await worker.kill(fault.what, where)


async def _explained(failure: ReleaseFailed, worker: WorkerProcess, connection: WorkerConnection) -> ReleaseFailed:
    """Of a worker that died, how it ended."""
    has_died = connection.closed and (failure.stage != "examples" or str(failure).endswith(DIED))
    return await _death(worker, str(failure)) if has_died else failure


async def _death(worker: WorkerProcess, what: str) -> ReleaseFailed:
    """The failure of a worker that died while it ran the examples."""
    with contextlib.suppress(TimeoutError):
        what = f"{what}: it {await asyncio.wait_for(worker.wait(), _NOTICE_S)}"
    return ReleaseFailed(what, stage="examples", detail=worker.last_output, heals=Heals.MAYBE)
