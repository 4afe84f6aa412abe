"""Attempts as processes of this machine: begun, found again, stopped, and cleared away."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from core.folders import remove_tree
from core.runs.runs import Failure, RunSpec
from core.runs.states import RunState
from trainer.attempt.identity import find, give_up
from trainer.attempt.own_code import CODE, copy_code, remove_code
from trainer.attempt.process_tree import kill_lineage
from trainer.attempt.progress import Reached, read_reached
from trainer.attempt.spawned import Spawned, spawn
from trainer.attempt.stop import CANCEL_GRACE_S, GRACE_S, tell_why, told_why
from trainer.kept_checkpoints import KeptCheckpoints
from trainer.plan import Running

_ROOT = Path(__file__).parents[1]
_LATE_S = 3.0
"""Past its grace, and the process of an attempt is ended with all that it started."""
_END_S = 10.0
_GONE = "the process of the attempt has gone without a word (killed, or its machine restarted)"


class LocalRuns:
    """`<home>/<run key>/a<attempt>/`: the files of an attempt, which say all that is to be known of it.

    The processes outlive this one, and carry no mark by which its reaper would find them.
    """

    def __init__(
        self, home: Path, environ: Mapping[str, str], max_kept_bytes: int, now: Callable[[], float] = time.time
    ) -> None:
        """`environ`: what they may see; the mark by which the reaper finds what is the daemon's is not in it.
        `max_kept_bytes`: of checkpoints of runs that are over."""
        self._home = home
        self._environ = environ
        self._now = now
        self._kept = KeptCheckpoints(home, max_kept_bytes, now)
        self._children: dict[Path, Spawned] = {}

    def folder(self, key: str, attempt: int) -> Path:
        return self._home / key / f"a{attempt}"

    def begin(self, spec: RunSpec) -> None:
        """Raises OSError, and then nothing has begun."""
        folder = self.folder(spec.run, spec.attempt)
        self._clear_unclaimed(folder)
        self._kept.give_back(spec.run)
        for earlier in self._attempts(spec.run):
            remove_code(earlier / CODE)
        folder.mkdir(parents=True, mode=0o700)
        try:
            code = folder / CODE
            copy_code(Path(spec.root), code)
            _write(folder / "spec.json", msgspec.json.encode(msgspec.structs.replace(spec, root=str(code))))
            self._children[folder] = self._start(folder)
        except OSError:
            remove_tree(folder)
            raise

    def running(self) -> dict[str, Running]:
        """Of each run the attempt whose process lives."""
        return {
            folder.parent.name: Running(_number(folder), told_why(folder))
            for folder in self._attempts()
            if self._is_alive(folder)
        }

    def begun(self, model: str, key: str) -> int:
        """The last attempt that has had a process; 0: none has."""
        return max((_number(folder) for folder in self._attempts(key) if self._has_begun(folder)), default=0)

    def reached(self, key: str, attempt: int) -> Reached | None:
        return read_reached(self.folder(key, attempt))

    def stop(self, key: str, attempt: int, why: RunState) -> None:
        """Ask it to end, and say what for. Raises OSError."""
        folder = self.folder(key, attempt)
        tell_why(folder, why)
        if (process := find(folder)) is not None:
            process.signal(signal.SIGTERM)
        elif (child := self._children.get(folder)) is not None:
            child.kill()  # it has not claimed the attempt yet

    def enforce(self) -> None:
        """End those that were asked to, and take too long; let go of checkpoints that nobody came back for."""
        self._kept.prune()
        for folder in self._attempts():
            why = told_why(folder)
            if why is not None and self._is_alive(folder) and self._now() > _asked_at(folder) + _grace_s(why) + _LATE_S:
                self._kill(folder)

    def bury(self, model: str, key: str, attempt: int) -> Failure:
        """See to it that nothing of the attempt lives: its process was killed, and could not."""
        folder = self.folder(key, attempt)
        give_up_quietly(folder)
        self._kill(folder)
        return Failure(None, _GONE, heals=True, state=RunState.LOST)

    def remove(self, key: str) -> None:
        """All files of the run, and whatever of it may live; but its checkpoint is kept for another attempt."""
        for folder in self._attempts(key):
            self._kill(folder)
        self._kept.keep(key)
        _remove(self._home / key)

    def _start(self, folder: Path) -> Spawned:
        return spawn(
            [sys.executable, "-P", "-m", "trainer.run", str(folder / "spec.json")],
            {**self._environ, "PYTHONPATH": str(_ROOT)},
            folder / "trainer.log",
        )

    def _attempts(self, key: str = "*") -> Iterator[Path]:
        return (path for path in self._home.glob(f"{key}/a*") if _NAME.fullmatch(path.name))

    def _is_alive(self, folder: Path) -> bool:
        if (child := self._children.get(folder)) is not None:
            return not child.has_ended()
        process = find(folder)
        return process is not None and process.is_alive

    def _has_begun(self, folder: Path) -> bool:
        return folder in self._children or find(folder) is not None

    def _clear_unclaimed(self, folder: Path) -> None:
        """Of a daemon that ended between writing the files and starting the process, or just after."""
        if folder.exists() and not self._has_begun(folder) and give_up(folder):
            _remove(folder)

    def _kill(self, folder: Path) -> None:
        if (process := find(folder)) is None:
            return
        process.signal(signal.SIGKILL)
        if (ours := process.lineage) is not None:
            kill_lineage(ours, _END_S)


def give_up_quietly(folder: Path) -> None:
    with suppress(OSError):
        give_up(folder)


_NAME = re.compile(r"a[1-9][0-9]*")


def _number(folder: Path) -> int:
    return int(folder.name[1:])


def _grace_s(why: RunState) -> float:
    return GRACE_S if why is RunState.SUPERSEDED else CANCEL_GRACE_S


def _asked_at(folder: Path) -> float:
    try:
        return (folder / "stop").stat().st_mtime
    except OSError:
        return float("inf")


def _write(path: Path, content: bytes) -> None:
    """For ourselves alone to read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _remove(folder: Path) -> None:
    """Out of sight first, so that nobody takes what is half gone for an attempt."""
    aside = folder.with_name(f".gone-{folder.name}-{time.monotonic_ns()}")
    try:
        folder.rename(aside)
    except OSError:
        return
    remove_tree(aside)
