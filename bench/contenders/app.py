"""A contender that is one program in `bench/apps`, told its model and its port by the environment."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import environments
from bench.contenders.contender import CannotStart
from bench.inputs.models import Model
from bench.load.endpoint import Endpoint, NotReady, Wire
from bench.machine import processes
from bench.machine.home import HOME, ROOT

_START_S = 90.0

Command = Callable[[Path, int], Sequence[str]]
"""The command line, by the folder of the environment's programs and the port."""


@dataclass(frozen=True)
class App:
    """One program. `bench/apps/{name}` is its working folder; with a requirements.txt there it has an environment of
    its own, otherwise Pawl's."""

    name: str
    title: str
    note: str
    wire: Wire
    command: Command
    packages: Sequence[str]
    """Those whose versions matter, the peer itself first."""
    python: str = sys.executable
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return ROOT / "bench/apps" / self.name

    def versions(self) -> Mapping[str, str]:
        return environments.versions(self._python(), self.packages)

    @contextlib.contextmanager
    def serving(self, model: Model) -> Iterator[Endpoint]:
        """The model on a free port until the context ends. Raises CannotStart."""
        python, port, log = self._python(), free_port(), HOME / "logs" / f"{self.name}-{model.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        endpoint = Endpoint(f"http://127.0.0.1:{port}{self.wire.path}", self.wire)
        with processes.ending_all():
            process = self._start(self.command(python.parent, port), self._environ(python, model, port), log)
            try:
                endpoint.wait(model, _START_S, lambda: process.poll() is None)
                yield endpoint
            except NotReady as error:
                raise CannotStart(f"{error}: {_last_words(log)}") from error

    def _start(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def _python(self) -> Path:
        requirements = self.folder / "requirements.txt"
        if not requirements.exists():
            return Path(self.python)
        return environments.environment(self.name, requirements, self.python)

    def _environ(self, python: Path, model: Model, port: int) -> dict[str, str]:
        """One thread for whatever would start more of its own accord."""
        mine = {"MODEL": str(model.path), "WIDTH": str(model.width), "PORT": str(port), "OMP_NUM_THREADS": "1"}
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_ENV")}
        modules = f"{self.folder}{os.pathsep}{self.folder.parent / 'common'}"
        return kept | {"PATH": path, "PYTHONPATH": modules, "PYTHONUNBUFFERED": "1"} | mine | dict(self.environ)


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
