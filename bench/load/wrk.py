"""The one load generator: wrk, https://github.com/wg/wrk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load.endpoint import Endpoint
from bench.load.percentile import percentile_of_counts

_SCRIPT = Path(__file__).with_name("wrk.lua")
_PATIENCE_S = 20


Histogram = Sequence[tuple[int, int]]
"""How long, in microseconds, and how many; rising."""


class NoWrk(Exception):
    """The load generator isn't there."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw. A connection has one request under way at any time."""

    requests: int
    """Answered, whatever the answer."""
    seconds: float
    p50_us: float
    p99_us: float
    most_us: float
    refused: int
    """Answers with a status of 400 or more."""
    broken: int
    """Connections that failed or took too long."""
    cpu_s: float = 0.0
    """CPU seconds of wrk itself, until the load ended."""

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / self.seconds

    @property
    def errors(self) -> int:
        return self.refused + self.broken


def load(endpoint: Endpoint, body: bytes, connections: int, seconds: float) -> Load:
    """POST `body` on so many connections for so long."""
    with tempfile.NamedTemporaryFile(prefix="pawl-bench-") as file:
        Path(file.name).write_bytes(body)
        headers = [f"{name}: {value}" for name, value in endpoint.wire.headers.items()]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{_whole(seconds)}s", f"--timeout={_PATIENCE_S}s"]
        command += ["-s", str(_SCRIPT), endpoint.url, "--", file.name, endpoint.wire.media, *headers]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 2 * _PATIENCE_S)
    return _read(json.loads(done.stdout.strip().splitlines()[-1]), connections)


def answered(histogram: Histogram, interval_us: int) -> Histogram:
    """wrk's histogram without the requests that it makes up: microseconds, and how many took that long.

    For each that took two mean intervals or more wrk adds some, as if the client had a schedule and was held up
    (`stats_correct` in its `stats.c`). Ours have none: they ask again when they are answered.
    """
    counts = dict(histogram)
    for took in sorted(counts, reverse=True):  # what is longer has been set right by then
        if took < 2 * interval_us or not counts[took]:
            continue
        for made_up in range(took - interval_us, interval_us, -interval_us):
            counts[made_up] -= counts[took]
    return [(took, count) for took, count in sorted(counts.items()) if count]


def _read(told: Any, connections: int) -> Load:
    rounds = told["requests"] // connections
    histogram = answered(told["histogram"], told["us"] // rounds) if rounds else told["histogram"]
    return Load(
        requests=told["requests"],
        seconds=told["us"] / 1e6,
        p50_us=percentile_of_counts(histogram, 0.50),
        p99_us=percentile_of_counts(histogram, 0.99),
        most_us=told["most_us"],
        refused=told["refused"],
        broken=told["broken"],
        cpu_s=told["cpu_s"],
    )


def install() -> None:
    """See to it that wrk is there. Raises NoWrk, saying how to get it."""
    can_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if shutil.which("wrk") is None and can_install and not _apt_get("install", "wrk") and _apt_get("update"):
        _apt_get("install", "wrk")
    if shutil.which("wrk") is None:
        raise NoWrk("wrk makes the load and isn't installed; on Debian and Ubuntu: apt-get install wrk")


def _apt_get(*arguments: str) -> bool:
    """Whether it worked. A slim image comes without lists of packages."""
    command = ["apt-get", "--quiet", "--quiet", "--yes", "--no-install-recommends", *arguments]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def version() -> str:
    """As wrk says it; "none" without it."""
    if shutil.which("wrk") is None:
        return "none"
    told = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return told.split(" [")[0].removeprefix("wrk ").strip()


def _whole(seconds: float) -> int:
    return max(1, round(seconds))
