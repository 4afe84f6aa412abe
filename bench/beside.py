"""`scripts/bench beside`: what callers notice of a training run that takes all it can get."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import uvloop

from bench.load import closed
from bench.load.endpoint import Endpoint, Wire, dump
from bench.load.percentile import percentile
from bench.machine.screen import console
from tests.admin_actions import act
from tests.repos import Repo
from tests.serving import Server, echo, serving

MOST = 1.5
"""How many times as long an answer may take beside a run, by the median."""
_SHARE = 0.25
_CONNECTIONS = 8
_CAPACITY_S = 5.0
_PATIENCE_S = 20.0
_SETTLE_S = 2.0

BUSY = """
import os
import time


def train(output, report, number=0):
    for _ in range(2 * os.cpu_count()):
        if os.fork() == 0:
            while True:
                bytes(bytearray(64 << 20))
    step = 0
    while not report(step):
        step += 1
        sum(range(1_000_000))
    open(output + "model", "w").close()
    return 1
"""


@dataclass(frozen=True)
class Turn:
    """What callers saw of one minute."""

    p50_ms: float
    p99_ms: float
    answers: int
    errors: int


class Paced:
    """Requests at a fixed rate, whatever becomes of those before: an answer's time counts from when it was due."""

    def __init__(self, url: str, rate: float) -> None:
        parts = urlsplit(url)
        body = dump({"variables": {"say": 1}})
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._address = parts.hostname or "", parts.port or 80
        self._rate = rate
        self._took: list[float] = []
        self._errors = 0

    def run(self, seconds: float) -> Turn:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._ask_all(seconds))
        p50, p99 = (1000 * percentile(self._took, share) for share in (0.5, 0.99))
        return Turn(p50, p99, len(self._took), self._errors)

    async def _ask_all(self, seconds: float) -> None:
        due = _schedule(time.perf_counter(), self._rate, seconds)
        await asyncio.gather(*(self._ask_in_turn(due) for _ in range(4 * _CONNECTIONS)))

    async def _ask_in_turn(self, due: Iterator[float]) -> None:
        """On one connection, whatever is due next."""
        reader, writer = await asyncio.open_connection(*self._address)
        for at in due:
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    writer.write(self._request)
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            except (OSError, EOFError, TimeoutError):
                self._errors += 1
                reader, writer = await asyncio.open_connection(*self._address)
            else:
                self._took.append(time.perf_counter() - at)
                self._errors += int(head[9:12]) != 200
        writer.close()


def _schedule(began: float, rate: float, seconds: float) -> Iterator[float]:
    return (began + number / rate for number in range(int(rate * seconds)))


@contextmanager
def training(server: Server, number: int) -> Iterator[None]:
    """While a run takes all that it can get."""
    run = act(server, "POST", "models/Busy/runs", {"params": {"number": number}}).json["run"]
    _until(lambda: _run(server, run).get("step"), "the run")
    yield
    act(server, "POST", f"runs/{run}/cancel", {"reason": "it was measured"})
    _until(lambda: _run(server, run)["state"] == "cancelled" and not _has_trainer(server), "its end")


def _run(server: Server, run: str) -> Any:
    return server.admin("GET", f"/-/api/runs/{run}").json


def _has_trainer(server: Server) -> bool:
    return any("trainer.run" in _command(pid) for pid in server.pids())


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _until(look: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not look():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come")
        time.sleep(0.1)


def _prepare(folder: Path) -> Repo:
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("one"))
    repo.write("Busy/train.py", BUSY).write("Busy/etls.py", echo("busy"))
    repo.write("Busy/model.yaml", "train: {timeout_s: 100000, resources: {memory: 8Gi}}\n").commit()
    return repo


def measure(server: Server, rounds: int, seconds: float) -> Iterator[tuple[bool, Turn]]:
    """Turns without a run and beside one, by turns."""
    url = f"{server.base}/Echo"
    wire = Wire(path="/Echo", pack=lambda row: b"", unpack=lambda answer: [])
    capacity = closed.load(Endpoint(url, wire), dump({"variables": {"say": 1}}), _CONNECTIONS, _CAPACITY_S).rate
    console.print(f"capacity {capacity:.0f} answers a second; asked for {_SHARE:.0%} of that")
    for number in range(rounds):
        time.sleep(_SETTLE_S)
        yield False, Paced(url, capacity * _SHARE).run(seconds)
        with training(server, number + 1):
            yield True, Paced(url, capacity * _SHARE).run(seconds)


def main(
    rounds: Annotated[int, typer.Option(help="with a run and without, by turns")] = 3,
    seconds: Annotated[float, typer.Option(help="of each turn")] = 60.0,
) -> None:
    """Serve at a quarter of the capacity, without a training run and beside one that takes all it can get."""
    turns: list[tuple[bool, Turn]] = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", _prepare(Path(folder)).path) as server:
        server.wait_live("Echo", "v1")
        first = server.wait(lambda: ((server.state("Busy") or {}).get("training") or {}).get("run"), "the first run")
        act(server, "POST", f"runs/{first}/cancel", {"reason": "before anything is measured"})
        for is_beside, turn in measure(server, rounds, seconds):
            turns.append((is_beside, turn))
            where = "beside a run" if is_beside else "without one "
            console.print(
                f"{where}  median {turn.p50_ms:6.2f} ms  p99 {turn.p99_ms:7.2f} ms  "
                f"{turn.answers} answers, {turn.errors} errors"
            )
    alone, beside = (median(turn.p50_ms for is_beside, turn in turns if is_beside is which) for which in (False, True))
    errors = sum(turn.errors for _, turn in turns)
    console.print(f"the median is {beside / alone:.2f} times that without a run (at most {MOST}); {errors} errors")
    raise typer.Exit(bool(errors) or beside > MOST * alone)
