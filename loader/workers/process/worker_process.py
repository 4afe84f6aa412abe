"""One worker process: its start, the messages on its control channel, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import Heals, ReleaseFailed
from core.process.ends import end_of
from core.process.signals import signal_name
from core.task import spawn
from loader.workers.process.heartbeat import Heartbeat
from loader.workers.process.output import Output
from loader.workers.process.relay import Relay
from loader.workers.process.thread_dump import ALL_THREADS, THIS_THREAD, shortened, signal_thread
from loader.workers.process.unassigned import Begin, UnassignedProcess, begin
from worker.wire.memory import private_memory
from worker.wire.messages import (
    Description,
    Drain,
    Failed,
    FromWorker,
    Noticed,
    Raised,
    Ready,
    WorkerConfig,
    decode_from_worker,
    encode_message,
)
from worker.wire.spans import Span, Traced
from worker.wire.status_page import StatusPage

log = logging.getLogger("pawl.model")

_LAST_OUTPUT_S = 0.5
"""How long what an ended process printed may take to be read: a child of its own may hold the pipe open."""
_REPORT_S = 10.0
"""How long the report of a failed request may take that was sent before its answer: a worker that lives has sent it."""
_TRACEBACK_S = 1.0
_MOST_THREADS = 3
"""Threads whose tracebacks are reported, where several run: those that have run for longest."""
_TICK_S = 0.05
_CLOSED_S = 10.0
"""How long a process may live on whose channel has ended: the author's exit handlers run then."""


@dataclass(frozen=True)
class Launch:
    """How to start a worker."""

    python: Path
    config: WorkerConfig
    environ: Mapping[str, str]
    start_timeout_s: float
    relay: Relay
    """Its output comes through it."""
    begin: Begin = begin
    """Where its process comes from."""
    printed: Callable[[str], object] = str
    """Is called with each line that it prints."""
    traced: Callable[[list[Span]], object] = list
    """Is called with spans of requests that are traced."""


class WorkerProcess:
    """A process that runs one release. After `await start()` it is ready to answer."""

    def __init__(self, launch: Launch, raised: Callable[[Raised], None]) -> None:
        self.config = launch.config
        self.description: Description | None = None
        self.end_reason: str | None = None
        """Why Pawl ended it; None where it ended by itself."""
        self._launch = launch
        self._raised = raised
        self._output = Output(launch.config.model, printed=launch.printed)
        self._where = ""
        self._last_raised: Raised | None = None
        self._received = asyncio.Event()
        """Set by each message on the channel, and by the channel's end."""
        self._loaded: asyncio.Future[Description] = asyncio.get_running_loop().create_future()
        self._unassigned: UnassignedProcess | None = None
        """What became this worker; None before there is a process."""
        self._heartbeat: Heartbeat | None = None
        self._pump: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises ReleaseFailed (stage "load") when the worker says why it can't, dies, or is not ready in time."""
        try:
            await self._spawn()
            self.description = await self._ready()
        except BaseException as error:
            await asyncio.shield(self.kill("was ended because it did not start"))
            if isinstance(error, OSError):
                raise ReleaseFailed(
                    f"its process, {self._launch.python}, can't be started: {error}",
                    stage="load",
                    heals=Heals.WITH_MACHINE,
                ) from error
            raise

    @property
    def socket(self) -> str:
        return self.config.socket

    @property
    def status_page(self) -> StatusPage:
        assert self._unassigned is not None
        return self._unassigned.status_page

    @property
    def heartbeat(self) -> Heartbeat:
        assert self._heartbeat is not None
        return self._heartbeat

    @property
    def pid(self) -> int:
        """0 before there is a process."""
        return 0 if self._unassigned is None else self._unassigned.process.pid

    @property
    def running(self) -> bool:
        return self._unassigned is not None and self._unassigned.process.poll() is None

    def memory(self) -> int:
        """Bytes of memory that are the worker's alone (what its end would give back)."""
        return private_memory(self.pid) if self.running else 0

    async def wait(self) -> str:
        """Wait for its end; why it ended, in words."""
        assert self._unassigned is not None
        code = await end_of(self._unassigned.process)
        if self._pump is not None:
            await asyncio.wait([self._pump], timeout=_LAST_OUTPUT_S)
        if self.end_reason is not None:
            return self.end_reason
        return f"was ended by {signal_name(-code)}" if code < 0 else f"exited with code {code}"

    async def drain(self, timeout_s: float, some_hang: bool = False) -> None:
        """Let it answer the requests that it has, then end it, at the latest after `timeout_s`. `some_hang`: some
        requests will never be answered."""
        if self._unassigned is None:
            return
        self.end_reason = self.end_reason or "was told to stop"
        if not self._unassigned.control.is_closing():
            self._unassigned.control.write(encode_message(Drain(some_hang)))
        await self._unassigned.ended(timeout_s)
        await self.kill(self.end_reason)

    async def kill(self, reason: str, where: str = "") -> None:
        """End it now, and everything that it has started. `where` it was: a traceback."""
        self.end_reason = self.end_reason or reason
        self._where = self._where or where
        if self._unassigned is not None:
            await self._unassigned.kill_all()
            await self._release(self._unassigned)

    async def traceback(self) -> str:
        """Where the thread is that hangs, else all of them, and what was printed last."""
        where = await self._dump()
        return "\n\n".join(part for part in (where, self._output.last_lines()) if part)

    async def _dump(self) -> str:
        assert self._unassigned is not None
        if not self.running or self._unassigned.is_stopped:
            return ""
        slices = self.status_page.slices()
        oldest = sorted(slices, key=lambda slot: slices[slot])[:_MOST_THREADS]
        known = len(self.status_page.tracebacks())
        if threads := [thread for slot in oldest if (thread := self.status_page.thread(slot))]:
            for thread in threads:
                signal_thread(self.pid, thread, THIS_THREAD)
                await self._wait_until_written()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, ALL_THREADS)
            await self._wait_until_written()
        return shortened(self.status_page.tracebacks()[known:], self.config.root)

    async def _wait_until_written(self) -> None:
        """Wait until no more of the traceback is being written to the status page."""
        before, end = len(self.status_page.tracebacks()), time.monotonic() + _TRACEBACK_S
        found = before
        while time.monotonic() < end:
            await asyncio.sleep(_TICK_S)
            last, found = found, len(self.status_page.tracebacks())
            if before < last == found:
                break

    async def traceback_of(self, error_id: str) -> str:
        """What the worker reported of the request that failed last; empty where it didn't, or has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REPORT_S):
                while self._last_raised is None or self._last_raised.error_id != error_id:
                    if self._listener is None or self._listener.done():
                        return ""
                    self._received.clear()
                    await self._received.wait()
                return self._last_raised.traceback
        return ""

    @property
    def last_output(self) -> str:
        """Where it was when it was ended, else what it printed last."""
        return self._where or self._output.last_lines()

    async def _spawn(self) -> None:
        self._unassigned = unassigned = await self._launch.begin(self._launch.python, self._launch.environ)
        self._heartbeat = Heartbeat(unassigned.status_page)
        unassigned.control.write(encode_message(self.config))
        name = self.config.model
        self._pump = spawn(self._read_output(unassigned.output.fileno()), f"output of {name}")
        self._listener = spawn(self._listen(unassigned), f"control of {name}")
        self._listener.add_done_callback(lambda _: self._received.set())

    async def _read_output(self, pipe: int) -> None:
        async with self._launch.relay.reading(pipe) as printed:
            await self._output.pump(printed)

    async def _ready(self) -> Description:
        try:
            return await asyncio.wait_for(asyncio.shield(self._loaded), self._launch.start_timeout_s)
        except TimeoutError:
            raise ReleaseFailed(
                f"not loaded after {self._launch.start_timeout_s:g} s; "
                "the end of the log shows where it was (an import or a constructor that never returns?)",
                stage="load",
                detail=await self.traceback(),
                heals=Heals.MAYBE,
            ) from None

    async def _listen(self, unassigned: UnassignedProcess) -> None:
        """Take the worker's messages until it closes the channel, without which it is of no use."""
        broke, patience_s = "closed its channel to the daemon", _CLOSED_S
        try:
            while line := await unassigned.reader.readline():
                self._take(decode_from_worker(line))
        except (ValueError, OSError) as error:
            broke, patience_s = f"wrote to its channel to the daemon something that is not a message ({error})", 0.0
        if not await unassigned.ended(patience_s):
            self.end_reason = self.end_reason or f"{broke} and was ended"
            unassigned.kill()
            await end_of(unassigned.process)
        if not self._loaded.done():
            self._loaded.set_exception(await self._death_while_loading())
            self._loaded.exception()  # nobody may be waiting for it any more

    def _take(self, message: FromWorker) -> None:
        self._received.set()
        match message:
            case Ready(description) if not self._loaded.done():
                self._loaded.set_result(description)
            case Failed() if not self._loaded.done():
                self._loaded.set_exception(
                    ReleaseFailed(
                        message.message,
                        stage="load",
                        detail=message.traceback,
                        heals=Heals.MAYBE if message.heals else Heals.NEVER,
                    )
                )
            case Raised():
                self._last_raised = message
                self._raised(message)
            case Traced(spans):
                self._launch.traced(spans)
            case Noticed():
                log.warning("%s: %s", self.config.model, message.message)

    async def _death_while_loading(self) -> ReleaseFailed:
        return ReleaseFailed(
            f"its process {await self.wait()} while loading", stage="load", detail=self.last_output, heals=Heals.MAYBE
        )

    async def _release(self, unassigned: UnassignedProcess) -> None:
        """Close our ends of the ended process's channel and pipe, and remove its socket."""
        unassigned.control.close()  # which ends the listener; the pump may still have output to read
        Path(self.config.socket).unlink(missing_ok=True)
        tasks = [task for task in (self._pump, self._listener) if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_OUTPUT_S)
        for task in tasks:
            task.cancel()
        unassigned.close()
