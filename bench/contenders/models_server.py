"""A Pawl that serves files given here from a git repository, otherwise as installed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.contenders.edition import OURS, Edition
from bench.machine import processes
from tests.repos import Repo
from tests.serving import Server, serving

Files = Mapping[str, str | bytes]
"""Contents by path in the repository."""


@contextmanager
def serving_files(files: Files, edition: Edition = OURS, /, **settings: str) -> Iterator[Server]:
    """The server, told to be up and not necessarily ready; it and all its processes end with the context."""
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder:
        repo = Repo(Path(folder) / "models")
        for name, content in files.items():
            repo.write(name, content)
        repo.commit()
        code, more = edition.code, {"SYNC_SECONDS": "30", **settings}
        with (
            processes.ending_all(),
            serving(
                Path(folder) / "data", repo.path, ready=False, cwd=code, code=code, python=edition.python, **more
            ) as server,
        ):
            yield server


def wait_ready(server: Server, seconds: float) -> float:
    """Seconds until every model is live. Raises TimeoutError."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if server.request("GET", f"{server.url}/readyz").status == 200:
            return time.monotonic() - began
        time.sleep(0.05)
    raise TimeoutError(f"not ready within {seconds:g} s\n{server.log[-2000:]}")
