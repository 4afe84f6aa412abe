"""One attempt at a run: prepare, train, judge what is live, store what was left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from core.errors import ArtifactRefused, PawlError
from core.process.descendants import Descendants
from core.runs.runs import AttemptResult, Failure, RunSpec
from core.runs.states import Reason, RunState
from trainer.attempt.child import Child, Ended, Limits
from trainer.attempt.child_environment import child_environment, refusal_of_params
from trainer.attempt.container_memory import ContainerMemory
from trainer.attempt.crash_place import crash_place
from trainer.attempt.outcomes import failure_of
from trainer.attempt.peers import taken_by_peers
from trainer.attempt.progress import Progress
from trainer.attempt.run_log import RunLog, read_end
from trainer.attempt.stop import Stop
from trainer.attempt.store_retry import retry_while_away
from worker.wire.training import CannotJudge, Judged, Reported, TrainConfig, Trained

log = logging.getLogger("pawl.trainer")

T = TypeVar("T")

ENDED = frozenset({Reason.TIMEOUT, Reason.OUT_OF_MEMORY, Reason.EXITED, None})
"""Reasons of failures that no traceback explains: their detail is the end of the log."""


@dataclass(frozen=True)
class Prepared:
    python: Path
    packages: Mapping[str, str]
    dataset: Path | None = None
    validation: Path | None = None


class NotPrepared(PawlError):
    """What the code needs can't be had."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Artifacts(Protocol):
    """Of a store, what an attempt needs. Both raise StoreUnavailable."""

    def put(self, folder: Path) -> str:
        """Raises ArtifactRefused."""
        ...

    def fetch(self, id: str, into: Path) -> object:
        """Raises ArtifactGone, ArtifactDamaged."""
        ...


class _Stopped(Exception):
    """The attempt is to end."""


class Attempt:
    """`run` is called once. `folder` is the attempt's own, `<home>/a<attempt>`."""

    def __init__(
        self,
        spec: RunSpec,
        folder: Path,
        prepare: Callable[[], Prepared],
        artifacts: Artifacts,
        environ: Mapping[str, str],
        log: RunLog,
        progress: Progress,
        stop: Stop,
        lineage: Descendants | None,
    ) -> None:
        """`prepare` blocks, and raises NotPrepared or StoreUnavailable."""
        self._spec = spec
        self._folder = folder
        self._prepare = prepare
        self._artifacts = artifacts
        self._environ = environ
        self._log = log
        self._progress = progress
        self._stop = stop
        self._lineage = lineage
        self._known: dict[str, Any] = {"began_at": datetime.now(UTC)}
        """Fields of the result, as they become known."""

    async def run(self) -> AttemptResult:
        """A failure of ours is the attempt's end too."""
        try:
            return await self._run()
        except _Stopped:
            return self._stopped()
        except NotPrepared as error:
            return self._failed(error.failure)
        except Exception as error:
            log.exception("a failure of Pawl's own")
            return self._result(state=RunState.LOST, message=f"Pawl itself failed: {error!r}"[:500], heals=True)

    async def _run(self) -> AttemptResult:
        self._progress.reach(RunState.PENDING, "environment and data")
        prepared = await self._with_store(self._prepare)
        self._known.update(packages=dict(prepared.packages), running_at=datetime.now(UTC))
        self._progress.reach(RunState.RUNNING)
        config = self._config(prepared)
        if refusal := refusal_of_params(config):
            return self._failed(refusal)
        ended = await self._child(prepared, config)
        self._known.update(peak_memory=ended.peak_memory, cpu_seconds=round(ended.cpu_seconds, 2))
        if ended.stopped:
            raise _Stopped
        failure = failure_of(ended, self._spec.train)
        if failure is not None or not isinstance(ended.outcome, Trained):
            failure = failure or Failure(Reason.BAD_CONTRACT, "the code answered what was not asked")
            return self._failed(self._with_last_lines(failure))
        self._progress.reach(RunState.EVALUATING)
        self._known.update(scores=ended.outcome.scores)
        await self._judge_live(prepared, config)
        return await self._store()

    async def _store(self) -> AttemptResult:
        try:
            artifact = await self._with_store(lambda: self._artifacts.put(self._output))
        except ArtifactRefused as error:
            return self._failed(Failure(Reason.BAD_CONTRACT, str(error)))
        return self._result(state=RunState.SUCCEEDED, artifact=artifact)

    async def _judge_live(self, prepared: Prepared, config: TrainConfig) -> None:
        """What can't be judged is not compared: that fails nobody."""
        if not self._spec.judge:
            return
        live = self._folder / "live"
        self._known.update(live_artifact=self._spec.judge)
        try:
            await self._with_store(lambda: self._artifacts.fetch(self._spec.judge, live))
            judged = await self._child(prepared, msgspec.structs.replace(config, evaluate=f"{live}/"))
        except PawlError as error:
            self._known.update(live_message=f"what is live can't be fetched: {error}")
            return
        if judged.stopped:
            raise _Stopped
        if isinstance(judged.outcome, Judged):
            self._known.update(live_scores=judged.outcome.scores)
        else:
            self._known.update(live_message=_why_not_judged(judged, self._spec))

    async def _child(self, prepared: Prepared, config: TrainConfig) -> Ended:
        train = self._spec.train
        limits = Limits(train.resources.memory_bytes, train.timeout_s)
        container = ContainerMemory(None if self._spec.in_pod else partial(taken_by_peers, self._folder))
        child = Child(config, limits, self._log, self._report, self._stop, self._lineage, container)
        return await child.run(prepared.python, child_environment(self._environ, self._spec, config))

    def _report(self, reported: Reported) -> None:
        self._progress.report(reported.step, reported.total, reported.scores)

    @property
    def _output(self) -> Path:
        return self._folder / "output"

    def _config(self, prepared: Prepared) -> TrainConfig:
        spec, checkpoint = self._spec, Path(self._spec.checkpoint or f"{self._spec.home}/checkpoint")
        for folder in (self._output, checkpoint):
            folder.mkdir(parents=True, exist_ok=True)
        return TrainConfig(
            model=spec.model,
            folder=f"{spec.folder}/",
            root=spec.root,
            output=f"{self._output}/",
            checkpoint=f"{checkpoint}/",
            entry=spec.train.entry,
            params=spec.train.params,
            model_params=spec.train.model_params,
            dataset=None if prepared.dataset is None else str(prepared.dataset),
            validation=None if prepared.validation is None else str(prepared.validation),
            run=spec.run,
            attempt=spec.attempt,
        )

    async def _with_store(self, work: Callable[[], T]) -> T:
        """Raises _Stopped; what is done in a thread is then left to itself."""
        doing = asyncio.ensure_future(retry_while_away(work, self._progress.wait_for))
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if doing.done():
            return doing.result()
        doing.cancel()
        raise _Stopped

    def _stopped(self) -> AttemptResult:
        """By us, as the file says; else by a signal that was not ours, which another attempt may be spared."""
        why = self._stop.why
        if why is None:
            message = "the run was told to end by a signal that Pawl did not send"
            return self._result(state=RunState.LOST, heals=True, message=message)
        state = RunState.SUPERSEDED if why is RunState.SUPERSEDED else RunState.CANCELLED
        return self._result(state=state, message=f"the run was stopped: it is {why}")

    def _with_last_lines(self, failure: Failure) -> Failure:
        """Of code that was ended, or ended itself, what it printed last tells where it was."""
        if failure.detail or failure.reason not in ENDED:
            return failure
        end = read_end(self._folder / "log.txt", self._spec.log_bytes)
        place = crash_place(end, self._spec.folder, self._spec.root)
        return replace(failure, detail=end, message=f"{place}: {failure.message}" if place else failure.message)

    def _failed(self, failure: Failure) -> AttemptResult:
        return self._result(
            state=failure.state,
            reason=failure.reason,
            message=failure.message,
            detail=failure.detail,
            heals=failure.heals,
        )

    def _result(self, **fields: Any) -> AttemptResult:
        spec = self._spec
        about: dict[str, Any] = {
            "run": spec.run,
            "attempt": spec.attempt,
            "model": spec.model,
            "commit": spec.commit,
            "code_key": spec.code_key,
            "params": spec.train.params,
            "model_params": spec.train.model_params,
            "dataset_fingerprint": spec.dataset_fingerprint,
            "validation_fingerprint": spec.validation_fingerprint,
            "started_by": spec.started_by,
        }
        return AttemptResult(**about, **self._known, **fields)


def _why_not_judged(judged: Ended, spec: RunSpec) -> str:
    if isinstance(judged.outcome, CannotJudge):
        return judged.outcome.message
    failure = failure_of(judged, spec.train)
    return f"evaluate failed on what is live: {failure.message if failure else 'it gave no scores'}"
