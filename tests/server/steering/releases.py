"""Releases of one model, as values."""

from __future__ import annotations

from core.events import Actor
from core.manifest.manifest import Manifest
from core.release import Artifact, Release, Revision, Served, Version

ADA = Actor(kind="key", name="ada", address="10.0.0.1")


def served(number: int, run: int | None = None) -> Served:
    """A version and, where it is trained, what the run of that number left."""
    revision = Revision("M", f"r{number}", Manifest(), {"M": "tree"}, code_key=None if run is None else "code")
    artifact = None if run is None else Artifact(f"a{run}", f"run{run}")
    return Served(Release(revision, artifact), Version(number, f"{number}" * 40))
