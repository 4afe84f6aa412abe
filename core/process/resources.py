"""The processors and the memory that Pawl may use: the control group's limits, or else the machine's."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def processors(cgroup: Path = CGROUP) -> int:
    """Processors that we may keep busy: those we may run on, or the quota (rounded up) if that is less."""
    allowed = len(os.sched_getaffinity(0))
    quota = _cpu_quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def onnx_threads(processors: int, workers: int) -> int:
    """Those that ONNX Runtime gets in each of a release's workers: the processors but one, shared out."""
    return max(1, (processors - 1) // workers)


@dataclass(frozen=True)
class Memory:
    """Bytes, of the control group if it is limited, else of the machine."""

    limit: int
    used: int
    """Without what the kernel would give up first: the pages of files, in use or not."""
    limited: bool = False
    """Whether a control group limits it: over the limit the kernel ends us."""

    @property
    def free(self) -> int:
        return max(0, self.limit - self.used)


def memory(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> Memory:
    machine = _machine_memory(meminfo)
    limited = _memory_v2(cgroup) or _memory_v1(cgroup)
    return limited if limited is not None and limited.limit < machine.limit else machine


def _cpu_quota(cgroup: Path) -> float | None:
    v2 = _words(cgroup / "cpu.max")
    if len(v2) == 2 and v2[0] != "max":
        return int(v2[0]) / int(v2[1])
    quota, period = _words(cgroup / "cpu/cpu.cfs_quota_us"), _words(cgroup / "cpu/cpu.cfs_period_us")
    if quota and period and int(quota[0]) > 0:
        return int(quota[0]) / int(period[0])
    return None


def _machine_memory(meminfo: Path) -> Memory:
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in meminfo.read_text().splitlines()}
    limit, free = kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024
    return Memory(limit=limit, used=limit - free)


def _memory_v2(cgroup: Path) -> Memory | None:
    limit, used = _words(cgroup / "memory.max"), _words(cgroup / "memory.current")
    if not limit or not used or limit[0] == "max":
        return None
    cache = _statistics(cgroup / "memory.stat", "inactive_file", "active_file")
    return Memory(limit=int(limit[0]), used=int(used[0]) - cache, limited=True)


def _memory_v1(cgroup: Path) -> Memory | None:
    folder = cgroup / "memory"
    limit, used = _words(folder / "memory.limit_in_bytes"), _words(folder / "memory.usage_in_bytes")
    if not limit or not used:
        return None
    cache = _statistics(folder / "memory.stat", "total_inactive_file", "total_active_file")
    return Memory(limit=int(limit[0]), used=int(used[0]) - cache, limited=True)


def _statistics(path: Path, *names: str) -> int:
    """Their sum."""
    pairs = (line.split() for line in _text(path).splitlines())
    return sum(int(value) for name, value in pairs if name in names)


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
