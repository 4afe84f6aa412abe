"""Which requirements file holds for a model."""

from __future__ import annotations

from pathlib import Path

_OWN, _FOR_TRAINING = "requirements.txt", "requirements-train.txt"


def requirements_of(root: Path, model: str) -> Path | None:
    """For serving the model that is checked out at `root`: its folder's, else the repository's own."""
    return _first(root / model / _OWN, root / _OWN)


def training_requirements_of(root: Path, model: str) -> Path | None:
    """For a run: what its folder says of runs alone, else what serving needs."""
    return _first(root / model / _FOR_TRAINING) or requirements_of(root, model)


def _first(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)
