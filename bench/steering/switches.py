"""`scripts/bench switches`: versions are switched under load; no answer may be lost, or come from a version before."""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bench.machine.screen import console
from tests.admin_actions import act
from tests.repos import Repo
from tests.serving import Server, echo, serving

VERSIONS = ("v1", "v2", "v3")


@dataclass
class Seen:
    """What the load and the switches saw."""

    answers: int = 0
    lost: list[str] = field(default_factory=list)
    """Answers that were none."""
    stale: list[str] = field(default_factory=list)
    """Answers by another version than was acknowledged, although no switch was under way."""
    seconds: list[float] = field(default_factory=list)
    """Of each switch, until it was answered."""


class Load:
    """Clients that ask one model without a pause, and compare who answers with what was acknowledged."""

    def __init__(self, server: Server, model: str, clients: int) -> None:
        self.seen = Seen()
        self._address = urlsplit(server.base)
        self._model = model
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._acknowledged: tuple[int, str] = (0, "")
        """How many switches had been begun or answered, and what the last answer said; "": one is under way."""
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def switch(self, server: Server, version: str) -> None:
        began = time.monotonic()
        self._note("")
        answer = act(server, "PUT", f"models/{self._model}/pin", {"version": version})
        assert answer.status == 200, answer.body
        self._note(version)
        self.seen.seconds.append(time.monotonic() - began)

    def _note(self, version: str) -> None:
        with self._lock:
            self._acknowledged = (self._acknowledged[0] + 1, version)

    def _ask(self) -> None:
        assert self._address.hostname is not None
        connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=30)
        while not self._stop.is_set():
            before = self._acknowledged
            status, version = _answer(connection, f"{self._address.path}/{self._model}")
            with self._lock:
                self.seen.answers += 1
                if status != 200:
                    self.seen.lost.append(f"{status} {version}")
                elif before == self._acknowledged and before[1] and version != before[1]:
                    self.seen.stale.append(f"{version} after {before[1]} was acknowledged")
        connection.close()


def _answer(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    try:
        connection.request("POST", path, b'{"variables": {}}', {"content-type": "application/json"})
        response = connection.getresponse()
        body = response.read()
    except OSError as error:
        connection.close()
        return 0, repr(error)
    version = response.headers.get("x-pawl-version") or ""
    return response.status, version if response.status == 200 else body.decode("utf-8", "replace")[:200]


def switched(server: Server, model: str, versions: Sequence[str], count: int, clients: int) -> Seen:
    """So many switches between the versions by turns, under the load of so many clients."""
    load = Load(server, model, clients)
    load.start()
    try:
        for number in range(count):
            load.switch(server, versions[number % len(versions)])
    finally:
        load.stop()
    return load.seen


def write_versions(repo: Repo, model: str = "Echo") -> None:
    """A commit for each version."""
    for version in VERSIONS:
        repo.commit_file(f"{model}/etls.py", echo(version))


def main(
    count: Annotated[int, typer.Option(help="switches")] = 1000,
    clients: Annotated[int, typer.Option(help="that ask without a pause")] = 4,
) -> None:
    """Switch the live version again and again under load."""
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        repo = Repo(Path(folder) / "models")
        write_versions(repo)
        with serving(Path(folder) / "data", repo.path) as server:
            seen = switched(server, "Echo", VERSIONS, count, clients)
    worst = sorted(seen.seconds)[-max(1, len(seen.seconds) // 100)]
    console.print(
        f"{len(seen.seconds)} switches, median {median(seen.seconds) * 1000:.0f} ms, 99 % within "
        f"{worst * 1000:.0f} ms; {seen.answers} answers, {len(seen.lost)} lost, {len(seen.stale)} by a version before"
    )
    for line in (*seen.lost[:5], *seen.stale[:5]):
        console.print(line)
    raise typer.Exit(bool(seen.lost or seen.stale))
