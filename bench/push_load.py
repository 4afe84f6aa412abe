"""Pushes under load: what callers notice of them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
from rich.progress import track

from bench.inputs.pushing import remote
from bench.machine.screen import console
from tests.repos import Repo
from tests.serving import Server, echo, serving

_CLIENTS = 8

Figures = Mapping[str, float]
"""Numbers by what they are of."""


def measure_load(folder: Path, seconds: float) -> Figures:
    """Answers other than 200, and answers by an older version than was announced live before the request."""
    repo, bare = remote(folder)
    with serving(folder / "data", bare) as server:
        announced = _Announced(server)
        askers = [_Asker(server, announced) for _ in range(_CLIENTS)]
        counts = Counter[str]()
        with announced.following(), contextlib.ExitStack() as stack:
            for asker in askers:
                stack.enter_context(asker.asking())
            counts["pushes"] = _push_every_second(repo, bare, server, seconds)
        for asker in askers:
            counts.update(asker.counts)
        return {
            "pushes": counts["pushes"],
            "answers": counts["answers"],
            "answers/s": counts["answers"] / seconds,
            "not 200": counts["not 200"],
            "by an older version": counts["older"],
            "versions seen live": announced.seen,
        }


class _Announced:
    """The newest version that the server has said is live."""

    def __init__(self, server: Server) -> None:
        self.number = 1
        self.seen = 1
        self._server = server
        self._stop = threading.Event()

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        follower = threading.Thread(target=self._follow)
        follower.start()
        yield
        self._stop.set()
        follower.join()

    def _follow(self) -> None:
        while not self._stop.wait(0.05):
            number = int(self._server.state("Echo")["live"]["version"][1:])
            self.seen += number != self.number
            self.number = number


class _Asker:
    """Asks all the time, on a connection of its own."""

    def __init__(self, server: Server, announced: _Announced) -> None:
        self.counts = Counter[str]()
        self._url = f"{server.base}/Echo"
        self._announced = announced
        self._stop = threading.Event()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._ask)
        thread.start()
        yield
        self._stop.set()
        thread.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=60) as http:
            while not self._stop.is_set():
                least = self._announced.number
                answer = http.post(self._url, json={"variables": {"say": 1}})
                self.counts["answers"] += 1
                if answer.status_code != 200:
                    self.counts["not 200"] += 1
                elif int(answer.headers["x-pawl-version"][1:]) < least:
                    self.counts["older"] += 1


def _push_every_second(repo: Repo, bare: Path, server: Server, seconds: float) -> int:
    """Good and broken pushes in turn; every third is broken."""
    began = time.monotonic()
    for number in track(range(2, int(seconds) + 2), "pushes under load", console=console, transient=True):
        repo.write("Echo/etls.py", "1 / 0\n" if number % 3 == 0 else echo(str(number))).commit()
        repo.push(bare)
        server.admin("POST", "/-/sync")
        time.sleep(max(0.0, began + number - 1 - time.monotonic()))
    return int(seconds)
