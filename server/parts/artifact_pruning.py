"""What removes artifacts that nothing needs."""

from __future__ import annotations

from functools import partial

from loader.artifacts.checkpoints import StoredCheckpoints
from loader.artifacts.uses import Uses, installation_in
from server.parts.serving import ServingParts
from server.process.data_dir import DataDir
from trainer.artifact_pruning import ArtifactPruning
from trainer.catalogue.catalogue import RunCatalogue
from trainer.lease import Held


def build_artifact_pruning(data: DataDir, serving: ServingParts, lease: Held, runs: RunCatalogue) -> ArtifactPruning:
    uses = Uses(serving.files, installation_in(data.path))
    checkpoints = StoredCheckpoints(serving.files)
    return ArtifactPruning(
        serving.artifacts, checkpoints, uses, runs.recorded, partial(_needed, serving), lease.is_held
    )


def _needed(serving: ServingParts) -> frozenset[str]:
    """Artifacts of releases that run, that one may go back to, and that the head is to have. For any thread."""
    releases = (*serving.starter.in_use(), *serving.reconciler.known.last_releases())
    heads = serving.reconciler.desired.training.values()
    found = (*(release.artifact for release in releases), *(head.artifact for head in heads))
    return frozenset(artifact.id for artifact in found if artifact is not None)
