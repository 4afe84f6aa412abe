"""A run as people see it: what the store's records, the attempt's folder and the trainer say of it, as one value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from core.runs.runs import AttemptResult, RunResult
from core.runs.states import Reason, RunState
from trainer.attempt.progress import Point
from trainer.records.record_names import is_acceptance, is_verdict

_NEVER = datetime.fromtimestamp(0, UTC)
_LAST_S = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list."""

    run: str
    """The run key."""
    model: str
    state: RunState
    reason: Reason | None = None
    message: str = ""
    commit: str = ""
    attempts: int = 0
    scores: dict[str, float] = {}
    artifact: str = ""
    accepted: bool = False
    """Whether a person took it, though it had been rejected."""
    own: bool = False
    """Whether it was asked for with parameters of its own: then it does not go live by itself."""
    what: str = ""
    """What is being done, while it is going on."""
    step: float | None = None
    total: float | None = None
    started_by: str = ""
    queued_at: datetime = _NEVER
    began_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_going_on(self) -> bool:
        return not self.state.is_terminal and self.state is not RunState.SUPERSEDED

    @property
    def cursor(self) -> str:
        """Of two runs, the one that was queued later has the greater one."""
        return f"{int(self.queued_at.timestamp() * 1e6):014x}-{self.run}"


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt."""

    attempt: int
    state: RunState
    reason: Reason | None = None
    message: str = ""
    scores: dict[str, float] = {}
    artifact: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    peak_memory: int = 0
    cpu_seconds: float = 0.0


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What the code reported at one step."""

    step: float
    total: float | None = None
    scores: dict[str, float | None] = {}
    at: datetime = _NEVER


class RunDetail(RunView, frozen=True, kw_only=True):
    """All that is known of a run."""

    detail: str = ""
    """A traceback, or the end of the log."""
    compared: str = ""
    """How it compares with what is live, or why it wasn't compared."""
    code_key: str = ""
    params: dict[str, Any] = {}
    model_params: dict[str, Any] = {}
    dataset_fingerprint: str = ""
    validation_fingerprint: str = ""
    peak_memory: int = 0
    """Bytes, of the whole tree of processes."""
    cpu_seconds: float = 0.0
    packages: dict[str, str] = {}
    tries: tuple[Try, ...] = ()
    curve: tuple[Reported, ...] = ()
    """What the last attempt reported, step by step."""


def view_of_record(name: str, content: bytes) -> RunView:
    """By the file of that name: `decisive` says which. Raises msgspec.DecodeError."""
    if is_verdict(name):
        return view_of_result(msgspec.json.decode(content, type=RunResult), is_accepted=is_acceptance(name))
    return view_of_attempt(msgspec.json.decode(content, type=AttemptResult))


def view_of_result(result: RunResult, *, is_accepted: bool = False) -> RunView:
    return RunView(
        run=result.run,
        model=result.model,
        state=result.state,
        reason=result.reason,
        message=_message(result),
        commit=result.commit,
        attempts=result.attempts,
        scores=result.scores,
        artifact=result.artifact,
        accepted=is_accepted,
        own=result.own,
        started_by=result.started_by,
        queued_at=result.queued_at or result.began_at or result.ended_at,
        began_at=result.began_at,
        ended_at=result.ended_at,
    )


def _message(result: RunResult) -> str:
    if not result.own or result.state is not RunState.SUCCEEDED:
        return result.message
    said = f"not live by itself, for it was asked for with parameters of its own; to serve it, pin run-{result.run}"
    return "; ".join(filter(None, (result.message, said)))


def view_of_attempt(attempt: AttemptResult) -> RunView:
    """Of a run of which nobody has said yet what became of it."""
    has_trained = attempt.state is RunState.SUCCEEDED
    return RunView(
        run=attempt.run,
        model=attempt.model,
        state=RunState.EVALUATING if has_trained else attempt.state,
        reason=attempt.reason,
        message=attempt.message,
        commit=attempt.commit,
        attempts=attempt.attempt,
        scores=attempt.scores,
        artifact=attempt.artifact,
        started_by=attempt.started_by,
        queued_at=attempt.began_at or attempt.ended_at,
        began_at=attempt.began_at,
        ended_at=None if has_trained else attempt.ended_at,
    )


def try_of(attempt: AttemptResult) -> Try:
    return Try(**{field: getattr(attempt, field) for field in Try.__struct_fields__})


def detail_of(
    view: RunView, record: RunResult | AttemptResult | None, tries: tuple[Try, ...], curve: tuple[Point, ...]
) -> RunDetail:
    """`record`: the latest that there is; of a run that has just been queued, none."""
    known = {} if record is None else {field: getattr(record, field) for field in _DETAILS if hasattr(record, field)}
    return RunDetail(**msgspec.structs.asdict(view), **known, tries=tries, curve=tuple(map(_reported, curve)))


def _reported(point: Point) -> Reported:
    at = datetime.fromtimestamp(min(max(point.at, 0.0), _LAST_S), UTC)  # a file may hold any number
    return Reported(step=point.step, total=point.total, scores=point.scores, at=at)


_DETAILS = (
    "detail",
    "compared",
    "code_key",
    "params",
    "model_params",
    "dataset_fingerprint",
    "validation_fingerprint",
    "peak_memory",
    "cpu_seconds",
    "packages",
)
