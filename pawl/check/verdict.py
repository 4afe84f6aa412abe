"""What a check of a folder found; as JSON it is what `pawl check --json` prints."""

from __future__ import annotations

from typing import Any

import msgspec

from pawl.check.unpushed import Unpushed
from worker.wire.messages import Description


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one example."""

    index: int
    """From 0, as it stands in examples.json."""
    ok: bool
    milliseconds: float
    fault: str | None
    """How the answer differs from what is expected, or what went wrong; None if it is as it should be."""
    answer: Any
    traceback: str = ""
    """Where the author's code raised, if it did."""


class CheckFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the folder can't be served."""

    stage: str
    message: str
    detail: str
    """A traceback or a tool's output."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a check tells."""

    ok: bool
    model: str
    folder: str
    routes: tuple[str, ...]
    release: str | None = None
    uses: tuple[str, ...] = ()
    """Folders beside it that are part of it."""
    requirements: str | None = None
    """Path of the requirements.txt that applies."""
    about: str = ""
    description: Description | None = None
    """What its worker found out about it; None if it did not load."""
    trials: tuple[Trial, ...] = ()
    failure: CheckFailure | None = None
    """None if it can be served, or trained; of several trials that are not ok, the first."""
    untrained: str = ""
    """Of a folder that trains and never was trained: why it was not tried, and what to do."""
    unpushed: tuple[Unpushed, ...] = ()
    """What of it git would not push as it lies here, the first of them."""
    unpushed_more: int = 0
    """How many there are besides."""
    seconds: float = 0.0
    log: tuple[str, ...] = ()
    """What it printed, and what the server would say of it in its log."""
