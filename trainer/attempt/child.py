"""The process that runs the author's code: started, told what to do, heard out, limited and ended."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

import worker
from core.process.descendants import Descendants
from core.process.ends import end_of
from core.runs.states import Reason
from core.task import spawn
from trainer.attempt import process_tree
from trainer.attempt.container_memory import ContainerMemory
from trainer.attempt.run_log import RunLog
from trainer.attempt.stop import Stop
from worker.wire.messages import encode_message
from worker.wire.training import Outcome, Reported, StopSoon, TrainConfig, decode_from_child

BOOT = Path(worker.__file__).parent / "training" / "boot.py"
_LONGEST_MESSAGE = 16 << 20
_PIPE_BYTES = 1 << 20
_FIRST_TICK_S = 0.02
_TICK_S = 0.25
_DESTROY_S = 10.0
"""What a child may take to end once it has said how it went."""
_TRACEBACK_S = 0.5
"""What a child may take to print where it is."""
_END_S = 15.0
_LAST_WORDS_S = 5.0


@dataclass(frozen=True)
class Limits:
    memory: int
    """Bytes of resident memory of the whole tree."""
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How it went."""

    outcome: Outcome | None
    """The last thing it said; None: nothing."""
    status: int
    """As `Popen.returncode`: below 0, it ended by that signal."""
    killed_for: Reason | None = None
    """Why we killed it, if we did."""
    stopped: bool = False
    """Whether it was asked to stop."""
    out_of_memory: bool = False
    """Whether the kernel ended something of our container meanwhile, for want of memory."""
    container_full: bool = False
    """Whether we killed it for the memory that was left to its container."""
    shares_container: bool = False
    """Whether the server and other runs are in there, too."""
    peak_memory: int = 0
    cpu_seconds: float = 0.0


class Child:
    """One such process. `run` is called once."""

    def __init__(
        self,
        config: TrainConfig,
        limits: Limits,
        log: RunLog,
        report: Callable[[Reported], None],
        stop: Stop,
        lineage: Descendants | None,
        container: ContainerMemory,
    ) -> None:
        self._config = config
        self._limits = limits
        self._log = log
        self._report = report
        self._stop = stop
        self._lineage = lineage
        self._container = container
        self._container_full = False
        self._outcome: Outcome | None = None
        self._killed_for: Reason | None = None
        self._peak = 0

    async def run(self, python: Path, environ: Mapping[str, str]) -> Ended:
        """Until it and all that it has started are gone. Raises OSError where it can't be started."""
        before, kills = _cpu_seconds(), self._container.kills()
        ours, theirs = socket.socketpair()
        reading, printing = os.pipe()
        with suppress(OSError):
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            with theirs:
                process = _start(python, environ, theirs, printing)
        except BaseException:
            ours.close()
            os.close(reading)
            raise
        finally:
            os.close(printing)
        reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_MESSAGE)
        writer.write(encode_message(self._config))
        tasks = [
            spawn(self._listen(reader), "messages of a run"),
            spawn(self._pump(reading), "output of a run"),
        ]
        keeper = spawn(self._keep(process, writer), "limits of a run")
        try:
            await end_of(process)
        finally:
            keeper.cancel()
            await asyncio.to_thread(process_tree.kill_all, _END_S, self._lineage)
            await asyncio.wait(tasks, timeout=_LAST_WORDS_S)
            for task in tasks:
                task.cancel()
            writer.close()
            os.close(reading)
        return Ended(
            outcome=self._outcome,
            status=process.returncode,
            killed_for=self._killed_for,
            stopped=self._stop.is_asked,
            out_of_memory=self._container.kills() > kills,
            container_full=self._container_full,
            shares_container=not self._container.is_own,
            peak_memory=self._peak,
            cpu_seconds=_cpu_seconds() - before,
        )

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            message = decode_from_child(line)
        except msgspec.DecodeError:
            return  # the author's code has found the channel and writes to it: what it says is not a message of ours
        if isinstance(message, Reported):
            self._report(message)
        elif self._outcome is None:
            self._outcome = message

    async def _pump(self, pipe: int) -> None:
        """Write what is printed to the log, until nobody can print any more."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        os.set_blocking(pipe, False)

        def read() -> None:
            with suppress(BlockingIOError):
                if not (data := os.read(pipe, _PIPE_BYTES)):
                    over.set()
                with suppress(OSError):  # the disk is full: the code goes on, and what it prints is lost
                    self._log.write(data)

        loop.add_reader(pipe, read)
        try:
            await over.wait()
        finally:
            loop.remove_reader(pipe)

    async def _keep(self, process: subprocess.Popen[bytes], writer: asyncio.StreamWriter) -> None:
        """Hold it to its limits, and pass on that it is to stop."""
        overdue = time.monotonic() + self._limits.seconds
        kill_at = said_at = float("inf")
        for pause in pauses():
            now = time.monotonic()
            taken = process_tree.memory(self._limits.memory)
            self._peak = max(self._peak, taken)
            if taken > self._limits.memory:
                self._kill(process, Reason.OUT_OF_MEMORY)
            elif (
                self._outcome is None and self._killed_for is None and self._container.must_leave(process_tree.resident)
            ):
                self._container_full = True
                self._kill(process, Reason.OUT_OF_MEMORY)
            elif now > overdue and self._outcome is None and self._killed_for is None:
                self._killed_for, kill_at = Reason.TIMEOUT, now + _TRACEBACK_S
                _ask_where_it_is(process)
            elif self._stop.is_asked and kill_at == float("inf"):
                kill_at = now + self._stop.grace_s
                _ask_to_stop(process, writer)
            elif self._outcome is not None and said_at == float("inf"):
                said_at = now
            elif now > min(kill_at, said_at + _DESTROY_S):
                self._kill(process, None)
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Or less if there is something to stop for."""
        if self._stop.is_asked:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    def _kill(self, process: subprocess.Popen[bytes], reason: Reason | None) -> None:
        self._killed_for = self._killed_for or reason
        with suppress(ProcessLookupError):
            process.kill()


def pauses() -> Iterator[float]:
    """Seconds between two looks: short ones first, so that the memory of code that is done at once is seen too."""
    pause = _FIRST_TICK_S
    while True:
        yield pause
        pause = min(2 * pause, _TICK_S)


def _start(python: Path, environ: Mapping[str, str], channel: socket.socket, printing: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(python), "-P", "-s", str(BOOT), str(channel.fileno())],
        cwd="/",  # it goes to its model's folder once it knows it
        env=environ,
        pass_fds=(channel.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=printing,
        stderr=printing,
        start_new_session=True,
    )


def _ask_to_stop(process: subprocess.Popen[bytes], writer: asyncio.StreamWriter) -> None:
    writer.write(encode_message(StopSoon()))
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)


def _ask_where_it_is(process: subprocess.Popen[bytes]) -> None:
    """Its tracebacks go to the log."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGUSR2)


def _cpu_seconds() -> float:
    """Of all descendants that have ended, and been reaped."""
    times = os.times()
    return times.children_user + times.children_system
