"""What the processes that we have started use, however they have detached themselves."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NoReturn

from tests.processes import command_line, descendants

_PR_SET_CHILD_SUBREAPER = 36
_STOPS = (signal.SIGTERM, signal.SIGHUP)
_TICKS = os.sysconf("SC_CLK_TCK")
_ROLES = {"-m gateway": "gateway", "worker/boot.py": "worker", "-m server": "daemon"}


def adopt() -> None:
    """Become the parent of what our children leave behind, so that it counts, and can be ended."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def leave_nothing_behind() -> None:
    """Where this process is told to stop, leave all contexts, which end what they have started."""
    for number in _STOPS:
        signal.signal(number, _stop)


def started() -> set[int]:
    """Every process below this one."""
    return descendants(os.getpid()) - {os.getpid()}


def cpu(pids: Iterable[int] | None = None) -> dict[str, float]:
    """CPU seconds so far, by role, of all that we have started, or of those."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for pid in started() if pids is None else pids:
        with contextlib.suppress(OSError):
            seconds[_role(pid)] += sum(_ticks(f"{pid}/stat")) / _TICKS
    return seconds


def children_cpu_s() -> float:
    """CPU seconds of all children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def loops_cpu() -> float:
    """CPU seconds so far of the workers' main threads, which run the models' Python; not of those that run batches."""
    seconds = 0.0
    for pid in started():
        if _role(pid) == "worker":
            with contextlib.suppress(OSError):
                seconds += sum(_ticks(f"{pid}/task/{pid}/stat")[:2]) / _TICKS
    return seconds


def memory_mb() -> float:
    """Proportional set size of all: what two processes share counts once."""
    return sum(pss_mb(pid) for pid in started())


def pss_mb(pid: int) -> float:
    """Proportional set size of one process; 0 of one that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def ending_all(patience_s: float = 10.0) -> Iterator[None]:
    """Ask all that is started in the block to stop at its end, and end what doesn't; what was there before goes on. We
    must have adopted them."""
    before = started()
    try:
        yield
    finally:
        _end(before, patience_s)


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """By how much each count has grown."""
    return {name: after[name] - before.get(name, 0.0) for name in after}


def _ticks(stat: str) -> Sequence[int]:
    """User and system time, its own and its dead children's."""
    return [int(field) for field in Path("/proc", stat).read_text().rpartition(")")[2].split()[11:15]]


def _role(pid: int) -> str:
    line = command_line(pid)
    return next((role for part, role in _ROLES.items() if part in line), "all")


def _stop(number: int, _: object) -> NoReturn:
    for each in _STOPS:  # another would interrupt the cleaning up
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _end(spared: Set[int], patience_s: float) -> None:
    began = time.monotonic()
    told = _tell(started() - spared, signal.SIGTERM)
    while (left := started() - spared) and time.monotonic() < began + 60:
        if time.monotonic() > began + patience_s:
            told |= _tell(left, signal.SIGKILL)
        time.sleep(0.05)
    _reap(told)


def _tell(pids: Set[int], number: signal.Signals) -> Set[int]:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return pids


def _reap(pids: Iterable[int]) -> None:
    """Popen bears with children that were waited for already."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
