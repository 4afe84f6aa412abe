"""One worker process: started, spoken to over its control channel, watched, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import worker
from core.errors import ReleaseFailed
from loader.output import Output
from worker.board import Board
from worker.protocol import (
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

log = logging.getLogger("pawl.model")

BOOT = Path(worker.__file__).with_name("boot.py")
_MAX_MESSAGE = 16 * 1024 * 1024
_KILL_WAIT_S = 10.0


@dataclass(frozen=True)
class Launch:
    """How to start a worker."""

    python: Path
    config: WorkerConfig
    environ: Mapping[str, str]
    start_timeout_s: float


class WorkerProcess:
    """A process that runs one release. `await WorkerProcess.start(...)` returns it ready to answer."""

    def __init__(self, launch: Launch, raised: Callable[[Raised], None]) -> None:
        self.config = launch.config
        self.board = Board(launch.config.clock, create=True)
        self.description: Description | None = None
        self.end_reason: str | None = None
        """Why we ended it, when it was us."""
        self._launch = launch
        self._raised = raised
        self._output = Output(launch.config.model)
        self._told: asyncio.Future[Description] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, launch: Launch, raised: Callable[[Raised], None]) -> WorkerProcess:
        """Raises ReleaseFailed (stage "load") when the worker says why it can't, dies, or is not ready in time."""
        process = cls(launch, raised)
        try:
            await process._spawn()
            process.description = await process._ready()
        except BaseException:
            await asyncio.shield(process.kill("it did not start"))
            raise
        return process

    @property
    def socket(self) -> str:
        return self.config.socket

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def memory(self) -> int:
        """Bytes of memory that are the worker's alone (what its end would give back)."""
        return private_memory(self.pid)

    async def wait(self) -> str:
        """Wait for its end; why it ended, in words."""
        code = await self._process.wait()
        if self.end_reason is not None:
            return self.end_reason
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"

    async def drain(self, timeout_s: float) -> None:
        """Let it finish what it has, then end it; at the latest after `timeout_s`."""
        self.end_reason = "was told to stop"
        with contextlib.suppress(OSError, RuntimeError):
            self._control.write(encode_message(Drain()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), timeout_s)
        await self.kill(self.end_reason)

    async def kill(self, reason: str) -> None:
        """End it now, and everything that it has started in its process group."""
        if not hasattr(self, "_process"):
            return
        self.end_reason = self.end_reason or reason
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _KILL_WAIT_S)
        await self._release()

    async def traceback(self) -> str:
        """Where its threads are now, as faulthandler prints it: works too when it hangs with the GIL held."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR2)
            await asyncio.sleep(0.2)
        return self._output.last_lines()

    def last_output(self) -> str:
        return self._output.last_lines()

    async def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            reader, self._control = await asyncio.open_connection(sock=ours, limit=_MAX_MESSAGE)
            self._process = await asyncio.create_subprocess_exec(
                *(str(self._launch.python), "-P", "-s", str(BOOT), str(theirs.fileno())),
                cwd=self.config.folder,
                env=_environment(self._launch.environ),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        self._control.write(encode_message(self.config))
        assert self._process.stdout is not None
        self._tasks = [
            asyncio.create_task(self._output.pump(self._process.stdout), name=f"output of {self.config.model}"),
            asyncio.create_task(self._listen(reader), name=f"control of {self.config.model}"),
        ]

    async def _ready(self) -> Description:
        try:
            return await asyncio.wait_for(asyncio.shield(self._told), self._launch.start_timeout_s)
        except TimeoutError:
            raise ReleaseFailed(
                f"not loaded after {self._launch.start_timeout_s:g} s; "
                "the end of the log shows where it was (an import or a constructor that never returns?)",
                stage="load",
                detail=await self.traceback(),
                heals=True,
            ) from None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Take the worker's messages until it closes the channel."""
        try:
            while line := await reader.readline():
                self._take(decode_from_worker(line))
        except (ValueError, OSError) as error:
            log.error("%s: its control channel broke: %s", self.config.model, error)
        await self._process.wait()
        if not self._told.done():
            self._told.set_exception(await self._death_while_loading())
            self._told.exception()  # nobody may be waiting for it any more

    def _take(self, message: FromWorker) -> None:
        match message:
            case Ready(description) if not self._told.done():
                self._told.set_result(description)
            case Failed() if not self._told.done():
                self._told.set_exception(
                    ReleaseFailed(message.message, stage="load", detail=message.traceback, heals=message.heals)
                )
            case Raised():
                self._raised(message)
            case Noticed():
                log.warning("%s: %s", self.config.model, message.message)

    async def _death_while_loading(self) -> ReleaseFailed:
        return ReleaseFailed(
            f"its process {await self.wait()} while loading", stage="load", detail=self.last_output(), heals=True
        )

    async def _release(self) -> None:
        """Give back what the ended process held."""
        self._control.close()
        for path in (self.config.socket, self.config.clock):
            Path(path).unlink(missing_ok=True)
        await asyncio.wait(self._tasks, timeout=1)
        for task in self._tasks:
            task.cancel()


def private_memory(pid: int) -> int:
    """Bytes of anonymous memory of a process (RssAnon in proc(5)); 0 if it has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker finds in its environment: ours, less what would change how Python starts."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
