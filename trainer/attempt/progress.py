"""How far an attempt has come, in two small files: `state.json`, and the curve of reported scores, `progress.jsonl`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from core.runs.states import RunState

MOST_POINTS = 2000


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What the code reported at one step."""

    step: float
    total: float | None = None
    scores: dict[str, float | None] = {}
    at: float = 0.0
    """Seconds since the epoch."""


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """`state.json`."""

    state: RunState
    """pending, running or evaluating."""
    what: str = ""
    """What is being done."""
    step: float | None = None
    total: float | None = None


class Progress:
    """Writes both, as far as the disk takes them. Of a curve that grows too long every second point is dropped, and
    from then on every second that comes."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now = now
        self._reached = Reached(state=RunState.PENDING)
        self._points: list[bytes] = []
        self._stride = 1
        self._count = 0
        self._told_at = 0.0

    def reach(self, state: RunState, what: str = "") -> None:
        self._reached = msgspec.structs.replace(self._reached, state=state, what=what)
        self._tell()

    def wait_for(self, what: str) -> None:
        """Something outside is away."""
        self.reach(self._reached.state, what)

    def report(self, step: float, total: float | None, scores: dict[str, float | None]) -> None:
        self._reached = msgspec.structs.replace(self._reached, step=step, total=total)
        now = self._now()
        if now - self._told_at >= 1.0:
            self._tell()
        self._count += 1
        if (self._count - 1) % self._stride == 0:
            self._add(msgspec.json.encode(Point(step=step, total=total, scores=scores, at=now)) + b"\n")

    def _add(self, line: bytes) -> None:
        self._points.append(line)
        if len(self._points) <= MOST_POINTS:
            with suppress(OSError), open(self._folder / "progress.jsonl", "ab") as file:
                file.write(line)
            return
        self._points = self._points[::2]
        self._stride *= 2
        self._replace("progress.jsonl", b"".join(self._points))

    def _tell(self) -> None:
        self._told_at = self._now()
        self._replace("state.json", msgspec.json.encode(self._reached))

    def _replace(self, name: str, content: bytes) -> None:
        aside = self._folder / f".{name}.tmp"
        with suppress(OSError):
            aside.write_bytes(content)
            os.replace(aside, self._folder / name)


def read_reached(folder: Path) -> Reached | None:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / "state.json").read_bytes(), type=Reached)
    return None


def read_curve(folder: Path) -> list[Point]:
    with suppress(OSError):
        return read_points((folder / "progress.jsonl").read_bytes())
    return []


def read_points(lines: bytes) -> list[Point]:
    """A line that is just being written is left out."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.Decoder(Point).decode_lines(lines[: lines.rfind(b"\n") + 1])
    return []
