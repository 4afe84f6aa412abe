"""`scripts/bench kills`: the daemon is killed in the middle of actions; nothing acknowledged may be lost."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.machine.screen import console
from bench.steering.database_kills import database_killed
from bench.steering.pinning import Killed, Pinning
from bench.steering.switches import VERSIONS, write_versions
from tests.admin_actions import live, pinned
from tests.postgres import find_programs, running_postgres
from tests.repos import Repo
from tests.serving import Server, serving


def killed(folder: Path, count: int, seed: int = 0) -> Killed:
    """Kill the daemon so many times, each at some moment of an action, and compare what the next one serves."""
    repo, found, chance = Repo(folder / "models"), Killed(), random.Random(seed)
    write_versions(repo)
    held, asked = VERSIONS[-1], _Asked()
    for _ in range(count):
        with serving(folder / "data", repo.path) as server:
            held = asked.compared(_pinned(server), held, found)
            version = chance.choice([one for one in VERSIONS if one != held])
            pinning = Pinning(server, version)
            time.sleep(chance.uniform(0, 2.0))
            server.stop(signal.SIGKILL)
            pinning.join()
            asked = _Asked(version, pinning.status)
            found.kills += 1
            found.acknowledged += pinning.status == 200
    with serving(folder / "data", repo.path) as server:
        asked.compared(_pinned(server), held, found)
    return found


def _pinned(server: Server) -> tuple[str, str]:
    """What is live once the registry's pin is, and that pin."""
    pin = pinned(server, "Echo")
    if pin:
        server.wait(lambda: live(server, "Echo") == pin, f"Echo {pin}, which is pinned")
    return live(server, "Echo"), pin


@dataclass(frozen=True)
class _Asked:
    version: str = ""
    status: int | None = None

    def compared(self, now: tuple[str, str], before: str, found: Killed) -> str:
        """What holds now, which is what was asked for if that was acknowledged."""
        is_live, pin = now
        if self.status == 200 and is_live != self.version:
            found.wrong.append(f"{self.version} was acknowledged, and {is_live} is live")
        if is_live not in (before, self.version):
            found.wrong.append(f"{is_live} is live, after {before} and {self.version}")
        if self.status == 200 and pin != self.version:
            found.wrong.append(f"{self.version} was acknowledged, and {pin or 'nothing'} is pinned")
        found.committed += self.status != 200 and is_live == self.version
        return is_live


def main(
    count: Annotated[int, typer.Option(help="kills")] = 100,
    database: Annotated[bool, typer.Option("--database", help="of PostgreSQL, in place of the daemon")] = False,
) -> None:
    """Kill the daemon, or its database, in the middle of actions."""
    with tempfile.TemporaryDirectory() as folder:
        found = _database_killed(Path(folder), count) if database else killed(Path(folder), count)
    console.print(
        f"{found.kills} kills, {found.acknowledged} acknowledged before, {found.committed} done although not; "
        f"{len(found.wrong)} wrong"
    )
    for line in found.wrong[:10]:
        console.print(line)
    raise typer.Exit(bool(found.wrong))


def _database_killed(folder: Path, count: int) -> Killed:
    programs = find_programs()
    if programs is None:
        raise typer.BadParameter("PostgreSQL is not installed: apt-get install postgresql")
    with running_postgres(programs) as postgres:
        found = database_killed(folder, postgres, count)
    console.print(f"{found.answers} answers meanwhile, {len(found.lost)} lost")
    found.wrong += found.lost
    return found
