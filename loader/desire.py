"""What is to be served and what is to be trained, out of what is known of both: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.decisions import NO_DECISIONS, Decisions, Rejected
from core.errors import ReleaseFailed
from core.release import Artifact, Candidate, Choice, Release, Revision, Served, Version, Wanted


@dataclass(frozen=True)
class Training:
    """A model that trains, at the followed head."""

    version: Version
    revision: Revision
    artifact: Artifact | None
    """The newest accepted one of its code key; None: a run is needed."""


@dataclass(frozen=True)
class Desired:
    """What is to be, of every model."""

    models: Mapping[str, Wanted]
    training: Mapping[str, Training]


NOTHING_DESIRED = Desired({}, {})
_NOTHING_REJECTED = Rejected()


def desire(
    candidates: Mapping[str, Candidate], decisions: Decisions, last_live: Mapping[str, Sequence[Served]]
) -> Desired:
    """What is pinned; else the head's release unless it is rejected or has no artifact; else the newest that was live
    and is not rejected; else nothing.

    What was turned down while it was live is left before anything else is tried. What was pinned after it had been
    turned down is not: once its pin is lifted it stays until the head's is there, and is left if that is rejected.

    `last_live`: of each model, what was live, the latest first.
    """
    pins = decisions.pins or {}
    return Desired(
        {
            model: _wanted(model, candidates.get(model), decisions, last_live.get(model, ()))
            for model in sorted({*candidates, *pins, *decisions.missing})
        },
        {
            model: Training(candidate.version, candidate.revision, newest_artifact(candidate.revision, decisions))
            for model, candidate in candidates.items()
            if candidate.revision is not None and candidate.revision.code_key is not None
        },
    )


def newest_artifact(revision: Revision, decisions: Decisions) -> Artifact | None:
    """The newest accepted artifact of the revision's code key, of a run that was not rejected since."""
    rejected = _rejected(revision.model, decisions)
    accepted = (decisions.artifacts or {}).get(revision.code_key or "", ())
    return next((artifact for artifact in accepted if artifact.run not in rejected.runs), None)


def newest_release(revision: Revision, decisions: Decisions) -> Release | None:
    """The revision with its newest accepted artifact; None where it trains and has none."""
    if revision.code_key is None:
        return Release(revision)
    artifact = newest_artifact(revision, decisions)
    return None if artifact is None else Release(revision, artifact)


def _wanted(model: str, head: Candidate | None, decisions: Decisions, last_live: Sequence[Served]) -> Wanted:
    if (pin := (decisions.pins or {}).get(model)) is not None:
        version = None if head is None else head.version
        return Wanted(model, pin.version, pin.release, choice=Choice.PINNED, head=version)
    if model in decisions.missing:
        return _missing(model, decisions.missing[model], head, last_live)
    assert head is not None
    rejected = _rejected(model, decisions)
    last_live = _from_target(last_live, rejected, (decisions.targets or {}).get(model))
    if _is_turned_down(last_live, rejected) and (back := _back(head, rejected, last_live)) is not None:
        return back
    if head.revision is None:
        return Wanted(model, head.version, None, head.failure)
    release = newest_release(head.revision, decisions)
    if release is None:
        choice = Choice.REJECTED if _has_artifacts(head.revision, decisions) else Choice.UNTRAINED
        run = decisions.runs.get(head.revision.code_key or "")
        return _earlier(head, choice, rejected, last_live, run)
    if release.id in rejected.releases:
        return _earlier(head, Choice.REJECTED, rejected, last_live)
    return Wanted(model, head.version, release)


def _missing(model: str, pin: Version, head: Candidate | None, last_live: Sequence[Served]) -> Wanted:
    """What is live stays live; the head's does not go live in its place."""
    version = None if head is None else head.version
    if last_live:
        return Wanted(model, last_live[0].version, last_live[0].release, choice=Choice.PINNED, head=version)
    failure = ReleaseFailed(
        f"it is pinned at {pin.label} (commit {pin.commit}), which can be found neither in the source nor on this "
        "disk; lift the pin, or pin another version",
        stage="checkout",
    )
    return Wanted(model, pin, None, failure, choice=Choice.PINNED, head=version)


def _from_target(last_live: Sequence[Served], rejected: Rejected, target: Served | None) -> Sequence[Served]:
    """With what a rollback went back to in the first place behind what it turned down, where that is what was live."""
    if target is None or (last_live and last_live[0].release.id not in rejected.releases):
        return last_live
    return (*last_live[:1], target, *last_live[1:])


def _is_turned_down(last_live: Sequence[Served], rejected: Rejected) -> bool:
    """Whether what is live was rejected, so that the model goes back before anything else is tried."""
    return bool(last_live) and last_live[0].release.id in rejected.releases - rejected.pinned


def _back(head: Candidate, rejected: Rejected, last_live: Sequence[Served]) -> Wanted | None:
    back = _earlier(head, Choice.REJECTED, rejected, last_live)
    return back if back.release is not None else None


def _earlier(
    head: Candidate, choice: Choice, rejected: Rejected, last_live: Sequence[Served], run: str | None = None
) -> Wanted:
    stays = rejected.pinned if choice is Choice.UNTRAINED else frozenset()
    for index, (release, version) in enumerate(last_live):
        if release.id not in rejected.releases or (index == 0 and release.id in stays):
            return Wanted(head.model, version, release, choice=choice, head=head.version, run=run)
    return Wanted(head.model, head.version, None, choice=choice, head=head.version, run=run)


def _rejected(model: str, decisions: Decisions) -> Rejected:
    return (decisions.rejections or {}).get(model, _NOTHING_REJECTED)


def _has_artifacts(revision: Revision, decisions: Decisions) -> bool:
    return bool((decisions.artifacts or {}).get(revision.code_key or ""))


def kept(
    decisions: Decisions, candidates: Mapping[str, Candidate], last_live: Mapping[str, Sequence[Served]]
) -> Decisions:
    """The decisions as far as they bear on what may be served: what a restart needs to know."""
    heads = (candidate.revision for candidate in candidates.values() if candidate.revision is not None)
    live = (served.release.revision for last in last_live.values() for served in last)
    keys = {revision.code_key for revision in (*heads, *live)}
    artifacts = {key: found for key, found in (decisions.artifacts or {}).items() if key in keys}
    return replace(decisions, missing={}, artifacts=artifacts, runs={}, run_keys={})


def wanted(candidate: Candidate) -> Wanted:
    """What is wanted of a model where nobody decided anything."""
    return _wanted(candidate.model, candidate, NO_DECISIONS, ())
