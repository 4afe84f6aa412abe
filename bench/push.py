"""How long a push takes to be served, what callers notice of pushes, how quickly it starts, and what it weighs."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import track

from tests.repos import Repo
from tests.serving import ROOT, Server, descendants, echo, serving, wait_for

console = Console()

Figures = dict[str, float]


def main(
    only: Annotated[
        list[str] | None, typer.Option(help="latency, load, start or memory; all of them if not given")
    ] = None,
    pushes: Annotated[int, typer.Option(help="pushes timed one after the other")] = 50,
    minutes: Annotated[float, typer.Option(help="minutes of pushes under load, one push a second")] = 5.0,
) -> None:
    """Time pushes, push under load, time the start, weigh the processes."""
    parts: dict[str, Callable[[Path], Figures]] = {
        "latency": lambda folder: measure_latency(folder, pushes),
        "load": lambda folder: measure_load(folder, minutes * 60),
        "start": measure_start,
        "memory": measure_memory,
    }
    for name in only or parts:
        with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder:
            _print(name, parts[name](Path(folder)))


def measure_latency(folder: Path, pushes: int) -> Figures:
    """Seconds from the webhook to the first answer by the new version: a plain class, and one with an ONNX file."""
    return {
        f"{model} {what}": seconds
        for model in ("Echo", "BreastCancer")
        for what, seconds in _time_pushes(folder / model, model, pushes).items()
    }


def _time_pushes(folder: Path, model: str, pushes: int) -> Figures:
    repo, remote = _remote(folder)
    took = []
    with serving(folder / "data", remote) as server:
        for number in track(range(2, pushes + 2), "pushes", console=console, transient=True):
            etls = repo.path / model / "etls.py"
            repo.write(f"{model}/etls.py", f"{etls.read_text()}# edition {number}\n").commit()
            repo.push(remote)
            began = time.perf_counter()
            assert server.admin("POST", "/-/sync").status == 202
            _wait_for_version(server, model, f"v{number}")
            took.append(time.perf_counter() - began)
    return {"median s": statistics.median(took), "least s": min(took), "most s": max(took), "pushes": len(took)}


def _wait_for_version(server: Server, model: str, version: str) -> None:
    wait_for(lambda: server.post(f"/{model}").headers["x-pawl-version"] == version, version, lambda: server.log)


def measure_load(folder: Path, seconds: float) -> Figures:
    """Answers other than 200, and answers by an older version than was announced live before the request."""
    repo, remote = _remote(folder)
    with serving(folder / "data", remote) as server:
        announced = _Announced(server)
        askers = [_Asker(server, announced) for _ in range(8)]
        counts = Counter[str]()
        with announced.following(), contextlib.ExitStack() as stack:
            for asker in askers:
                stack.enter_context(asker.asking())
            counts["pushes"] = _push_every_second(repo, remote, server, seconds)
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


def measure_start(folder: Path) -> Figures:
    """Seconds from `scripts/serve`, set up before, to the first answer by an example model, and to readiness."""
    subprocess.run(["scripts/setup"], cwd=ROOT, check=True)
    first, ready = [], []
    for number in range(6):
        answer_s, ready_s = _start_once(folder, 18500 + number)
        if number:  # the first one builds environments
            first.append(answer_s)
            ready.append(ready_s)
    return {"first answer, median s": statistics.median(first), "all models, median s": statistics.median(ready)}


def measure_memory(folder: Path) -> Figures:
    """Megabytes of memory (PSS) of an idle server of one ONNX model."""
    repo = Repo(folder / "models")
    _copy_example(repo, "Digits")
    repo.commit()
    with serving(folder / "data", repo.path) as server:
        server.request("GET", f"{server.base}/")
        server.score("Digits", pixels=[0.0] * 64)
        server.wait((folder / "data/registry.db").exists, "the registry")
        [gateway], [worker] = server.gateways(), server.workers()
        figures = {"daemon": _pss(server.process.pid), "gateway": _pss(gateway), "worker": _pss(worker)}
    return {f"{name} MB": value for name, value in figures.items()} | {"together MB": sum(figures.values())}


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


def _push_every_second(repo: Repo, remote: Path, server: Server, seconds: float) -> int:
    """Good and broken pushes in turn; every third is broken."""
    began = time.monotonic()
    for number in track(range(2, int(seconds) + 2), "pushes under load", console=console, transient=True):
        repo.write("Echo/etls.py", "1 / 0\n" if number % 3 == 0 else echo(str(number))).commit()
        repo.push(remote)
        server.admin("POST", "/-/sync")
        time.sleep(max(0.0, began + number - 1 - time.monotonic()))
    return int(seconds)


def _start_once(folder: Path, port: int) -> tuple[float, float]:
    environ = {**os.environ, "PORT": str(port), "DATA_DIR": str(folder / "data")}
    began = time.perf_counter()
    process = subprocess.Popen(
        ["scripts/serve"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _status(f"{url}/models_serve/BreastCancer") in (200, 422), "the first answer")
        first = time.perf_counter() - began
        wait_for(lambda: _status(f"{url}/readyz") == 200, "readiness")
        return first, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()
        assert not descendants(process.pid)


def _status(url: str) -> int:
    try:
        return httpx.get(url).status_code
    except httpx.HTTPError:
        return 0


def _remote(folder: Path) -> tuple[Repo, Path]:
    """A repository with a model that says which edition it is, and a bare remote to push to."""
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("1"))
    _copy_example(repo, "BreastCancer")
    repo.commit()
    return repo, repo.bare(folder / "remote.git")


def _copy_example(repo: Repo, model: str) -> None:
    for path in (ROOT / "models_serve" / model).iterdir():
        if path.is_file():
            repo.write(f"{model}/{path.name}", path.read_bytes())


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no PSS of process {pid}")


def _print(name: str, figures: Figures) -> None:
    console.print(f"[bold]{name}[/bold]")
    for what, value in figures.items():
        console.print(f"  {what:<24} {value:,.3f}" if isinstance(value, float) else f"  {what:<24} {value:,}")
