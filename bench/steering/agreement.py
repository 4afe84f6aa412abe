"""`scripts/bench agreement`: how soon a second daemon serves what somebody pinned at the first, with one PostgreSQL."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.machine.screen import console
from bench.steering.switches import VERSIONS, write_versions
from tests.admin_actions import act, live
from tests.postgres import find_programs, running_postgres
from tests.repos import Repo
from tests.serving import Server, serving

_LOOK_S = 0.005
_PATIENCE_S = 60.0


@dataclass
class Agreed:
    """Seconds, of each pin."""

    asked: list[float] = field(default_factory=list)
    """From the question until the second served it."""
    answered: list[float] = field(default_factory=list)
    """From the first one's answer."""


def agreed(first: Server, second: Server, count: int) -> Agreed:
    found = Agreed()
    for number in range(count):
        version = VERSIONS[number % len(VERSIONS)]
        began = time.monotonic()
        answer = act(first, "PUT", "models/Echo/pin", {"version": version})
        assert answer.status == 200, answer.body
        acknowledged = time.monotonic()
        while live(second, "Echo") != version:
            assert time.monotonic() < acknowledged + _PATIENCE_S, f"{version} never came"
            time.sleep(_LOOK_S)
        now = time.monotonic()
        found.asked.append(now - began)
        found.answered.append(now - acknowledged)
    return found


def main(
    count: Annotated[int, typer.Option(help="pins")] = 30,
    loaded: Annotated[bool, typer.Option("--loaded", help="versions that run at both already")] = False,
) -> None:
    """Pin versions at one daemon, and ask another for what is live."""
    programs = find_programs()
    if programs is None:
        raise typer.BadParameter("PostgreSQL is not installed: apt-get install postgresql")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running_postgres(programs)).url
        repo = Repo(folder / "models")
        write_versions(repo)
        first, second = (
            stack.enter_context(serving(folder / name, repo.path, DATABASE_URL=url, VERSION_IDLE_S="3600"))
            for name in ("one", "other")
        )
        found = Agreed()
        for _ in range(count if loaded else 1):
            if loaded:
                _load(first, second)
            once = agreed(first, second, len(VERSIONS) if loaded else count)
            found.asked += once.asked
            found.answered += once.answered
    _tell("from the question", found.asked)
    _tell("from the first one's answer", found.answered)
    console.print(f"load of the machine: {os.getloadavg()[0]:.1f}, of {os.cpu_count()} processors")


def _load(first: Server, second: Server) -> None:
    for server in (first, second):
        for version in VERSIONS:
            act(server, "POST", f"models/Echo/versions/{version}/load")


def _tell(says: str, seconds: list[float]) -> None:
    console.print(f"{says}: median {median(seconds):.2f} s, at worst {max(seconds):.2f} s, of {len(seconds)} pins")
