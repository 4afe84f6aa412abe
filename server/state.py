"""What the pages and the admin API tell of the models, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from core.manifest.manifest import Manifest
from core.release import Choice
from core.runs.states import CAME_TO_NOTHING
from core.version_states import STATE_OF_STEP, VersionState
from loader.controller.model_controller import ModelController
from loader.reconcile import Reconciler
from loader.workers.examples import Example, read_examples
from trainer.catalogue.views import RunView
from worker.wire.messages import Description


class ModelFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the newest release of a model is not live."""

    version: str
    commit: str
    stage: str
    message: str
    detail: str
    """A traceback or a tool's output: for who may use the admin API."""
    tries: int


class LiveRelease(msgspec.Struct, frozen=True, kw_only=True):
    """What answers a model's route."""

    version: str
    commit: str
    release: str
    run: str | None = None
    """Key of the run that left its artifact."""
    workers: int
    crashing: bool
    memory_mb: int
    description: Description
    manifest: Manifest
    root: str
    """Folder of the release's files."""

    @property
    def about(self) -> str:
        """What its author says about it."""
        return self.manifest.description or self.description.doc

    def examples(self, model: str) -> tuple[Example, ...]:
        return read_examples(Path(self.root) / model)


class PinnedTo(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator holds live."""

    version: str
    commit: str
    folder_gone: bool = False
    """Whether the model's folder has gone, so that it ends with the pin."""


class ModelState(msgspec.Struct, frozen=True, kw_only=True):
    """Where one model stands."""

    name: str
    live: LiveRelease | None
    doing: str | None
    """What is being done for a release on its way: where it stands between steps, or a line about what takes long."""
    failure: ModelFailure | None
    state: VersionState = VersionState.PENDING
    """Of what is wanted of it: the newest release, or the pinned one."""
    step: str | None = None
    """The step that this is a part of."""
    steps: Mapping[str, float] = {}
    """Seconds of each step, of the release that was on its way last."""
    training: RunView | None = None
    """Its newest run; None: there has been none."""
    pin: PinnedTo | None = None


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands with what is followed."""

    source: str
    head: str
    problem: str | None
    ready: bool
    sync_age_s: float | None = None
    """Since it could last be read; None: not since the start."""


def of_others(state: SourceState) -> SourceState:
    """What of it is told to those who may not read."""
    return SourceState(source="", head="", problem=None, ready=state.ready)


class ServerState(SourceState, frozen=True, kw_only=True):
    """Where everything stands."""

    models: Mapping[str, ModelState]
    left_out: Mapping[str, str]


def source_state(where: str, reconciler: Reconciler) -> SourceState:
    """Without the models, which takes long where there are many."""
    known, ready = reconciler.known_source, reconciler.ready.is_set()
    return SourceState(source=where, head=known.head, problem=known.problem, ready=ready, sync_age_s=known.age_s)


def server_state(
    where: str, reconciler: Reconciler, newest_runs: Callable[[], Mapping[str, RunView]] = dict
) -> ServerState:
    """`newest_runs`: of each model that trains."""
    runs = newest_runs()
    controllers = sorted(reconciler.controllers.items())
    return ServerState(
        source=where,
        head=reconciler.known_source.head,
        problem=reconciler.known_source.problem,
        ready=reconciler.ready.is_set(),
        sync_age_s=reconciler.known_source.age_s,
        models={name: _model(controller, runs.get(name), _pin(reconciler, name)) for name, controller in controllers},
        left_out=reconciler.known_source.left_out,
    )


def model_state(
    reconciler: Reconciler, newest_runs: Callable[[], Mapping[str, RunView]], model: str
) -> ModelState | None:
    """None: no such model is followed."""
    controller = reconciler.controllers.get(model)
    return None if controller is None else _model(controller, newest_runs().get(model), _pin(reconciler, model))


def _pin(reconciler: Reconciler, model: str) -> PinnedTo | None:
    decided = reconciler.known.decided
    served = (decided.pins or {}).get(model)
    version = decided.missing.get(model) if served is None else served.version
    if version is None:
        return None
    return PinnedTo(version=version.label, commit=version.commit, folder_gone=reconciler.has_gone(model))


def _model(controller: ModelController, newest_run: RunView | None, pin: PinnedTo | None) -> ModelState:
    progress = controller.progress
    return ModelState(
        name=controller.model,
        live=_live(controller),
        doing=progress.doing,
        failure=failure_of(controller),
        state=_state(controller, progress.step),
        step=progress.step,
        steps=progress.seconds,
        training=newest_run,
        pin=pin,
    )


def _state(controller: ModelController, step: str | None) -> VersionState:
    wanted = controller.wanted
    if step is not None:
        return STATE_OF_STEP[step]
    if controller.failure is not None:
        return VersionState.FAILED
    if wanted is not None and wanted.choice is Choice.UNTRAINED:
        return VersionState.FAILED if wanted.run in CAME_TO_NOTHING else VersionState.TRAINING
    if controller.live is not None:
        return VersionState.READY
    is_rejected = wanted is not None and wanted.release is None and wanted.choice is Choice.REJECTED
    return VersionState.REJECTED if is_rejected else VersionState.PENDING


def _live(controller: ModelController) -> LiveRelease | None:
    if controller.live is None:
        return None
    pool = controller.live.pool
    return LiveRelease(
        version=controller.live.version.label,
        commit=controller.live.version.commit,
        release=pool.release.id,
        run=controller.live.run,
        workers=len(pool.sockets),
        crashing=pool.crashing,
        memory_mb=pool.memory() // 2**20,
        description=pool.description,
        manifest=pool.release.manifest,
        root=str(pool.root),
    )


def failure_of(controller: ModelController) -> ModelFailure | None:
    if controller.failure is None:
        return None
    error = controller.failure.error
    return ModelFailure(
        version=controller.failure.version.label,
        commit=controller.failure.version.commit,
        stage=error.stage,
        message=str(error),
        detail=error.detail,
        tries=controller.failure.tries,
    )
