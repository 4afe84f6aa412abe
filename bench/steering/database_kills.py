"""`scripts/bench kills --database`: PostgreSQL is killed in the middle of actions, and started again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.steering.pinning import Killed, Pinning
from bench.steering.switches import VERSIONS, Load, write_versions
from tests.admin_actions import live, pinned
from tests.postgres import Postgres
from tests.repos import Repo
from tests.serving import Server, serving


@dataclass
class DatabaseKilled(Killed):
    """What was found after the kills."""

    answers: int = 0
    """Of the model, meanwhile."""
    lost: list[str] = field(default_factory=list)
    """Answers that were none."""


def database_killed(folder: Path, postgres: Postgres, count: int, seed: int = 0) -> DatabaseKilled:
    """Kill the database so many times, each at some moment of an action, while a client asks the model on."""
    repo, found, chance = Repo(folder / "models"), DatabaseKilled(), random.Random(seed)
    write_versions(repo)
    held = VERSIONS[-1]
    with serving(folder / "data", repo.path, DATABASE_URL=postgres.url) as server:
        load = Load(server, "Echo", clients=1)
        load.start()
        try:
            for _ in range(count):
                version = chance.choice([one for one in VERSIONS if one != held])
                pinning = Pinning(server, version)
                time.sleep(chance.uniform(0, 0.5))
                postgres.kill()
                postgres.start()
                pinning.join()
                held = _compared(server, postgres.url, pinning.status, version, held, found)
        finally:
            load.stop()
        found.answers, found.lost = load.seen.answers, load.seen.lost
    return found


def _compared(server: Server, url: str, status: int | None, version: str, before: str, found: DatabaseKilled) -> str:
    """What holds now: of a pin the row, its event and what is live are all there, or none of them."""
    server.wait(lambda: _agrees(server, url, before), "what is live to be what the registry holds")
    now = live(server, "Echo")
    found.kills += 1
    found.acknowledged += status == 200
    found.committed += status != 200 and now == version
    if status == 200 and now != version:
        found.wrong.append(f"{version} was acknowledged, and {now} is live")
    if now not in (before, version):
        found.wrong.append(f"{now} is live, after {before} and {version}")
    events = server.events("pinned")
    told = events[0]["version"] if events else ""
    if told != pinned(server, "Echo", url):
        found.wrong.append(f"{pinned(server, 'Echo', url)} is pinned, and the newest event of it tells of {told}")
    return now


def _agrees(server: Server, url: str, otherwise: str) -> bool:
    return live(server, "Echo") == (pinned(server, "Echo", url) or otherwise)
