"""By which code what goes wrong with an action is told."""

from __future__ import annotations

from core.errors import (
    ArtifactGone,
    NotTrained,
    PawlError,
    ReleaseFailed,
    ReleaseGone,
    SourceError,
    StoreUnavailable,
    VersionAmbiguous,
    VersionNotFound,
)
from loader.controller.on_demand import TooManyVersions
from loader.reconcile import ModelUnknown
from registry.errors import RegistryUnavailable
from server.steering.actions.errors import LiveChanged, ModelPinned, NoEarlierRelease, VersionIsLive

CODES: dict[type[PawlError], str] = {
    ModelUnknown: "model_not_found",
    ModelPinned: "pinned",
    NoEarlierRelease: "no_earlier_release",
    LiveChanged: "live_changed",
    VersionIsLive: "is_live",
    VersionNotFound: "version_not_found",
    VersionAmbiguous: "version_ambiguous",
    NotTrained: "not_trained",
    ReleaseFailed: "release_failed",
    ReleaseGone: "artifact_gone",
    ArtifactGone: "artifact_gone",
    TooManyVersions: "too_many_versions",
    RegistryUnavailable: "registry_unavailable",
    StoreUnavailable: "store_unavailable",
    SourceError: "source_unavailable",
}


def code_of(error: PawlError) -> str:
    """Of the nearest kind that the table has."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "internal")
