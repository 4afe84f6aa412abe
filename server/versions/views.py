"""Versions as people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from core.events import Actor
from core.version_states import Role, VersionState
from server.state import ModelFailure


class EnvironmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What a version ran in when it was started last."""

    id: str | None
    """None: Pawl's own environment."""
    packages: Mapping[str, str]
    """The distributions that are really in it."""


class ExamplesView(msgspec.Struct, frozen=True, kw_only=True):
    """How many of its examples were answered as they should be, and how many not, when it was proven last."""

    passed: int
    failed: int


class RejectionView(msgspec.Struct, frozen=True, kw_only=True):
    """That it was turned down; all of it is empty while the registry can't be asked."""

    at: datetime | None = None
    actor: Actor | None = None
    reason: str = ""


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One release of a model, under the newest version that it goes by."""

    version: str
    commit: str
    run: str | None
    """Key of the run that left its artifact."""
    release: str | None
    """None where it could not be made, or was never trained."""
    author: str
    message: str
    at: datetime | None
    """When it was committed."""
    size_bytes: int | None
    environment: EnvironmentView | None
    """None where it was never started here."""
    examples: ExamplesView | None
    scores: Mapping[str, float]
    """Of its run."""
    state: VersionState
    role: Role | None
    rejected: RejectionView | None
    failure: ModelFailure | None
    description: str
    metadata: Mapping[str, Any]
    step: str | None = None
    """What is being done for it, while it is on its way."""
    steps: Mapping[str, float] = {}
    """Seconds of each step, when it was on its way last."""


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    items: Sequence[VersionView]
    next: str | None
    """What to ask for the rest with."""


class PackagesDiff(msgspec.Struct, frozen=True, kw_only=True):
    added: Mapping[str, str]
    removed: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]
    """From which version to which."""


class AnswerDiff(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """An example, and what each of the versions answered when it was proven."""

    variables: Any
    before: Any
    after: Any
    same: bool | None
    """None where one of them was not asked."""


class ScoreDiff(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    before: float | None
    after: float | None


class DiffView(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """How one version differs from another."""

    before: VersionView
    after: VersionView
    diff: str | None
    """As git writes it; None where the files of one of them are not there any more."""
    truncated: bool
    """Whether the diff is longer than is told."""
    packages: PackagesDiff | None
    """None where one of them was never started here."""
    scores: Mapping[str, ScoreDiff]
    answers: Sequence[AnswerDiff]


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True, rename={"began_at": "from", "ended_at": "to"}):
    """That a version was live, from when until when."""

    version: str
    commit: str
    run: str | None
    release: str
    began_at: datetime
    ended_at: datetime | None
    """None while it is live."""
    cause: str
    actor: Actor | None
    reason: str


class DeploymentList(msgspec.Struct, frozen=True, kw_only=True):
    items: Sequence[DeploymentView]
    next: str | None
