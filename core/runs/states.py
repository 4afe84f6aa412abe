"""Where a run stands, and why one did not succeed. Starts fast: commands import it."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    QUEUED = "queued"
    PENDING = "pending"
    RUNNING = "running"
    EVALUATING = "evaluating"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    SUPERSEDED = "superseded"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing but a person's wish makes the run run again; a superseded one does when it is wanted."""
        return self in _TERMINAL


CAME_TO_NOTHING = frozenset({RunState.REJECTED, RunState.FAILED, RunState.CANCELLED, RunState.LOST})
"""Ends after which the run's artifact, if it left one, is not served unless somebody says so."""
_TERMINAL = frozenset({RunState.SUCCEEDED, RunState.REJECTED, RunState.FAILED, RunState.CANCELLED, RunState.LOST})


class Reason(StrEnum):
    """Why a run did not succeed."""

    OUT_OF_MEMORY = "OutOfMemory"
    TIMEOUT = "Timeout"
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL = "ImagePull"
    EVICTED = "Evicted"
    BAD_CONTRACT = "BadContract"
    NO_SCORES = "NoScores"
    BELOW_TARGET = "BelowTarget"
    NOT_OVER_LIVE = "NotOverLive"
    RAISED = "Raised"
    EXITED = "Exited"
    ENVIRONMENT = "Environment"
    DATASET = "Dataset"
