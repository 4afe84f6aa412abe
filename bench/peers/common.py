"""What peers share: a plain wire format, and how uvicorn is started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.load.endpoint import dump


def pack_row(row: Sequence[float]) -> bytes:
    """The body where the program decides what it takes: as Pawl's, without the envelope."""
    return dump({"row": row})


def probabilities(answer: Any) -> Sequence[float]:
    """The answer of such a program."""
    found: Sequence[float] = answer["probabilities"]
    return found


def uvicorn(folder: Path, port: int) -> Sequence[str]:
    """uvicorn at its fastest, writing no access log, with the application in `server.py`."""
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [str(folder / "uvicorn"), "server:app", "--port", str(port), *options]


def server(folder: Path, _: int) -> Sequence[str]:
    """A `server.py` that reads its port from the environment."""
    return [str(folder / "python"), "server.py"]
