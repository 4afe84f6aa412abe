"""A run's figures with what they were measured on, as JSON."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.load import wrk
from bench.machine.home import HOME, ROOT
from core.process.resources import processors

RESULTS = HOME / "results"

Kept = Mapping[str, Any]
"""The JSON of one part: what it is about, and its figures."""


def write(part: str, figures: Mapping[str, Any]) -> Path:
    """Keep the figures of one part of the bench; the file they are in."""
    now = datetime.datetime.now(datetime.UTC)
    path = RESULTS / f"{part}-{now:%Y%m%dT%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"part": part, "date": f"{now:%Y-%m-%d %H:%M} UTC", "commit": commit(), "machine": machine()}
    path.write_text(dump({**about, **figures}))
    return path


def dump(kept: Kept) -> str:
    """As it is kept."""
    return json.dumps(kept, indent=1) + "\n"


def newest(part: str, fits: Callable[[Kept], bool]) -> Kept | None:
    """What was kept last of that part, of what fits."""
    for path in sorted(RESULTS.glob(f"{part}-*.json"), reverse=True):
        kept: Kept = json.loads(path.read_text())
        if fits(kept):
            return kept
    return None


def commit() -> str:
    """What is measured; with a plus if files differ from it. "unknown" where the files came without their history."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return head + ("+" if _git("status", "--porcelain", "-uno") else "") if head else "unknown"


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, Python, load generator."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": processors(),
        "memory_gb": round(pages * size / 2**30),
        "kernel": platform.release(),
        # With where it comes from: distributions build it with a profile, pyenv doesn't unless it is told to.
        "python": f"{platform.python_version()} in {sys.base_prefix}",
        "wrk": wrk.version(),
        "load_average": os.getloadavg()[0],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
