"""A run as the server tells of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from core.paths import API_RUN
from core.runs.states import RunState
from pawl.exits import UNREACHABLE, CommandFailed
from pawl.runs.paths import path_of
from pawl.terminal.text import moment

if TYPE_CHECKING:
    from pawl.client.api import Api


class Try(msgspec.Struct, frozen=True, kw_only=True):
    attempt: int
    state: str
    reason: str | None = None
    message: str = ""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    step: float
    scores: dict[str, float | None] = {}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of it; a newer server may tell more."""

    run: str
    model: str
    state: str
    reason: str | None = None
    message: str = ""
    detail: str = ""
    compared: str = ""
    commit: str = ""
    attempts: int = 0
    accepted: bool = False
    own: bool = False
    scores: dict[str, float] = {}
    params: dict[str, Any] = {}
    model_params: dict[str, Any] = {}
    artifact: str = ""
    started_by: str = ""
    what: str = ""
    step: float | None = None
    total: float | None = None
    queued_at: datetime
    began_at: datetime | None = None
    ended_at: datetime | None = None
    peak_memory: int = 0
    cpu_seconds: float = 0.0
    packages: dict[str, str] = {}
    tries: tuple[Try, ...] = ()
    curve: tuple[Point, ...] = ()

    @property
    def is_going_on(self) -> bool:
        return self.state in _GOING_ON

    @property
    def why(self) -> str:
        """The state, and the reason where there is one, or what sets the run apart."""
        marks = [name for name, is_so in (("accepted", self.accepted), ("own params", self.own)) if is_so]
        return self.state + (f" ({self.reason})" if self.reason else f" ({', '.join(marks)})" if marks else "")

    @property
    def how_far(self) -> str:
        of = f" of {self.total:g}" if self.total else ""
        step = "" if self.step is None else f"step {self.step:g}{of}"
        return ": ".join(filter(None, (step, self.what)))

    @property
    def scored(self) -> str:
        return ", ".join(f"{name} {score:.4g}" for name, score in self.scores.items())

    @property
    def line(self) -> tuple[str, ...]:
        """For programs: what a list tells of it."""
        at = moment(self.queued_at)
        said = self.message or (self.how_far if self.is_going_on else "")
        return (self.run, self.model, self.state, self.reason or "", self.scored, self.commit, at, said)


_GOING_ON = frozenset({RunState.QUEUED, RunState.PENDING, RunState.RUNNING, RunState.EVALUATING})


def read_run(answer: Any) -> Run:
    try:
        return msgspec.convert(answer, Run)
    except msgspec.ValidationError as error:
        raise CommandFailed(UNREACHABLE, f"the server's answer can't be read: {error}") from error


def fetch(api: Api, run: str) -> Any:
    """All that the server tells of one run, as JSON."""
    return api.get(path_of(API_RUN, run=run))
