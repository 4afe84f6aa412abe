"""The states and roles of versions, in the words of the API, the pages and the commands."""

from __future__ import annotations

from enum import StrEnum


class VersionState(StrEnum):
    PENDING = "pending"
    """Its turn comes, or would if nothing else were pinned."""
    TRAINING = "training"
    BUILDING = "building"
    STARTING = "starting"
    PROVING = "proving"
    READY = "ready"
    """Its workers answer."""
    FAILED = "failed"
    REJECTED = "rejected"
    """A rollback or a canary turned it down."""
    RETIRED = "retired"
    """Nothing runs of it, and nothing is about to."""


class Role(StrEnum):
    """What a version that runs is for."""

    LIVE = "live"
    CANARY = "canary"
    SHADOW = "shadow"
    ON_DEMAND = "on_demand"


STATE_OF_STEP = {
    "fetch": VersionState.BUILDING,
    "check_out": VersionState.BUILDING,
    "environment": VersionState.BUILDING,
    "start": VersionState.STARTING,
    "prove": VersionState.PROVING,
    "swap": VersionState.PROVING,
}
