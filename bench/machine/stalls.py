"""What an idle machine takes: the time that is lost to a process which only watches the clock.

One on each core finds that milliseconds are missing: other processes of the machine had them, or, where it is a
virtual one, its host gave them to others. Servers lose them too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable

from bench.machine.home import ROOT

_WATCH_S = 2.0
_STALL_S = 0.0002
"""Seconds between two looks at the clock that are more than an interrupt's."""


def measure_stalls() -> float:
    """The share of its time that one process on each core loses, their mean. On a machine that is idle otherwise."""
    watchers = [_start(core) for core in sorted(os.sched_getaffinity(0))]
    shares = [float(watcher.communicate()[0]) for watcher in watchers]
    return sum(shares) / len(shares)


def lost(looks: Iterable[float]) -> float:
    """Seconds between looks at the clock (seconds, rising) that were stalls."""
    missing, last = 0.0, None
    for look in looks:
        if last is not None and look - last > _STALL_S:
            missing += look - last
        last = look
    return missing


def _start(core: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.machine.stalls", str(core)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _looks(seconds: float) -> Iterable[float]:
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        yield now


def main() -> None:
    os.sched_setaffinity(0, {int(sys.argv[1])})
    print(lost(_looks(_WATCH_S)) / _WATCH_S)


if __name__ == "__main__":
    main()
