"""Whether a folder is what an artifact's manifest says, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from core.errors import ArtifactDamaged
from loader.artifacts.manifest import Manifest
from loader.artifacts.store import holds


def verify(folder: Path, manifest: Manifest, but: Collection[str] = ()) -> None:
    """Read every file. Raises ArtifactDamaged, naming the first that is missing, other than it was, or too many.

    `but`: names of files that may be there besides, from `folder`: those of the model's own folder.
    """
    expected = {entry.name for entry in manifest.files}
    if more := sorted(_names(folder) - expected - set(but)):
        raise ArtifactDamaged(f"{folder / more[0]} is not of the artifact {manifest.id}; fetch it again")
    for entry in manifest.files:
        if not holds(folder / entry.name, entry):
            raise ArtifactDamaged(f"{folder / entry.name} is not what artifact {manifest.id} holds; fetch it again")


def _names(folder: Path) -> set[str]:
    """Links to folders too, which are never an artifact's."""
    found = set()
    for where, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        found |= {os.path.relpath(os.path.join(where, name), folder) for name in [*names, *links]}
    return found
