"""A version with all that is known of it, written as a view: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.release import Release
from core.version_states import VersionState
from loader.releases.proofs import Proof
from loader.sources.past import PastVersion
from server.state import ModelFailure
from server.versions.version_status import ModelSituation, VersionStatus, of_release, of_untrained
from server.versions.views import EnvironmentView, ExamplesView, RejectionView, VersionView


@dataclass(frozen=True)
class Told:
    """A version, the release that it makes, if it makes one, and what came of that."""

    past: PastVersion
    release: Release | None
    proof: Proof | None

    @property
    def run(self) -> str | None:
        return None if self.release is None else self.release.run

    @property
    def code_key(self) -> str | None:
        revision = self.past.candidate.revision
        return None if revision is None else revision.code_key


def view_of(
    told: Told,
    situation: ModelSituation,
    rejections: Mapping[str, RejectionView],
    scores: Mapping[str, float],
    run_state: str | None,
) -> VersionView:
    """`run_state`: of the run that is to leave the artifact that it lacks."""
    past, release, proof = told.past, told.release, told.proof
    revision, version = past.candidate.revision, past.candidate.version
    status = _status(told, situation, run_state)
    is_rejected = release is not None and release.id in situation.rejected
    return VersionView(
        version=version.label,
        commit=version.commit,
        run=told.run,
        release=None if release is None else release.id,
        author=past.author,
        message=past.message,
        at=past.at,
        size_bytes=_size(told),
        environment=_environment(proof),
        examples=None if proof is None else ExamplesView(passed=proof.passed, failed=proof.failed),
        scores=scores,
        state=status.state,
        role=status.role,
        rejected=rejections.get(release.id, RejectionView()) if is_rejected and release is not None else None,
        failure=status.failure,
        description="" if revision is None else revision.manifest.description,
        metadata={} if revision is None else revision.manifest.metadata,
        step=status.step,
        steps=status.steps,
    )


def _status(told: Told, situation: ModelSituation, run_state: str | None) -> VersionStatus:
    candidate = told.past.candidate
    named = candidate.version.label, candidate.version.commit
    if told.release is not None:
        return of_release(told.release.id, situation, told.proof, named)
    if candidate.failure is not None:
        error = candidate.failure
        failure = ModelFailure(
            version=named[0], commit=named[1], stage=error.stage, message=str(error), detail=error.detail, tries=1
        )
        return VersionStatus(VersionState.FAILED, failure=failure)
    return of_untrained(candidate.version.commit, situation, run_state, named)


def _size(told: Told) -> int | None:
    """On disk, with what its run left, where it was served; else that of its files in git."""
    if told.proof is not None and told.proof.size_bytes is not None:
        return told.proof.size_bytes
    has_artifact = told.release is not None and told.release.artifact is not None
    return None if has_artifact else told.past.size_bytes


def _environment(proof: Proof | None) -> EnvironmentView | None:
    """None where none was made, and so nothing is in it."""
    if proof is None or not proof.packages:
        return None
    return EnvironmentView(id=proof.environment, packages=proof.packages)
