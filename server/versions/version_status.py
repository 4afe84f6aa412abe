"""The status of each release of a model, out of what is known of the model: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.runs.states import CAME_TO_NOTHING, RunState
from core.version_states import STATE_OF_STEP, Role, VersionState
from loader.releases.proofs import Proof
from server.state import ModelFailure

_GOES_ON = {RunState.QUEUED, RunState.PENDING, RunState.RUNNING, RunState.EVALUATING}


@dataclass(frozen=True)
class OnItsWay:
    """The release that is being started."""

    release: str
    step: str | None
    """None: it has ended, or waits."""
    steps: Mapping[str, float]


@dataclass(frozen=True)
class ModelSituation:
    """What runs of a model, what is wanted of it, and what became of that. Releases go by their ids."""

    live: str | None = None
    on_demand: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    head: str = ""
    """What the followed head holds: a release, or the commit of what can't be made into one."""
    wanted: str | None = None
    failed: str = ""
    """What `failure` is about: a release, or the commit of what could not be made into one."""
    failure: ModelFailure | None = None
    way: OnItsWay | None = None


@dataclass(frozen=True)
class VersionStatus:
    state: VersionState
    role: Role | None = None
    failure: ModelFailure | None = None
    step: str | None = None
    steps: Mapping[str, float] = field(default_factory=dict)


def of_release(release: str, situation: ModelSituation, proof: Proof | None, named: tuple[str, str]) -> VersionStatus:
    """`named`: the version and the commit that it goes by."""
    role = _role(release, situation)
    failure = _failure(release, situation, proof, named)
    way = situation.way if situation.way is not None and situation.way.release == release else None
    steps = way.steps if way is not None else proof.seconds if proof is not None else {}
    if release in situation.rejected:
        return VersionStatus(VersionState.REJECTED, role, failure, steps=steps)
    if role is not None:
        return VersionStatus(VersionState.READY, role, steps=steps)
    if way is not None and way.step is not None:
        return VersionStatus(STATE_OF_STEP[way.step], failure=failure, step=way.step, steps=steps)
    if failure is not None:
        return VersionStatus(VersionState.FAILED, failure=failure, steps=steps)
    is_to_come = release in (situation.head, situation.wanted)
    return VersionStatus(VersionState.PENDING if is_to_come else VersionState.RETIRED, steps=steps)


def of_untrained(commit: str, situation: ModelSituation, run: str | None, named: tuple[str, str]) -> VersionStatus:
    """Of what has no artifact; `run`: the state of the run that is to leave one."""
    if run in _GOES_ON:
        return VersionStatus(VersionState.TRAINING)
    if run in CAME_TO_NOTHING:
        message = f"its training run is {run}"
        failure = ModelFailure(version=named[0], commit=named[1], stage="train", message=message, detail="", tries=1)
        return VersionStatus(VersionState.FAILED, failure=failure)
    return VersionStatus(VersionState.PENDING if commit == situation.head else VersionState.RETIRED)


def _role(release: str, situation: ModelSituation) -> Role | None:
    if release == situation.live:
        return Role.LIVE
    return Role.ON_DEMAND if release in situation.on_demand else None


def _failure(
    release: str, situation: ModelSituation, proof: Proof | None, named: tuple[str, str]
) -> ModelFailure | None:
    """Of the last try: that of now, or the one that was kept."""
    if situation.failed == release and situation.failure is not None:
        return situation.failure
    if proof is None or proof.failure is None:
        return None
    broken = proof.failure
    return ModelFailure(
        version=named[0], commit=named[1], stage=broken.stage, message=broken.message, detail=broken.detail, tries=1
    )
