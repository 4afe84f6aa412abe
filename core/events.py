"""What happened, for the log, the admin API and the registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import msgspec


class EventKind(StrEnum):
    LIVE = "live"
    """A release answers the model's plain route from now on."""
    FAILED = "failed"
    """A release can't be served; what was live still is."""
    RENAMED = "renamed"
    """The live release goes by another version: a commit that changed nothing, or a revert."""
    REMOVED = "removed"
    """A model's folder has gone, and its route with it."""
    LEFT_OUT = "left_out"
    """A folder looks like a model and is not served."""
    SOURCE_LOST = "source_lost"
    SOURCE_BACK = "source_back"
    HISTORY_REWRITTEN = "history_rewritten"
    """The followed branch was moved to a commit that does not descend from the last one."""
    WORKER_LOST = "worker_lost"
    WORKER_REPLACED = "worker_replaced"
    CRASH_LOOP = "crash_loop"
    REQUEST_FAILED = "request_failed"
    GATEWAY_LOST = "gateway_lost"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    RETRIED = "retried"
    """Somebody asked for another try of what failed."""
    LOADED = "loaded"
    UNLOADED = "unloaded"
    ROLLOUT_STARTED = "rollout_started"
    ROLLOUT_ADVANCED = "rollout_advanced"
    ROLLOUT_HELD = "rollout_held"
    ROLLOUT_TAKEN_BACK = "rollout_taken_back"
    ROLLOUT_COMPLETED = "rollout_completed"
    ROLLOUT_ABORTED = "rollout_aborted"
    SHADOW_STARTED = "shadow_started"
    SHADOW_STOPPED = "shadow_stopped"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    UPLOADED = "uploaded"
    DELETED = "deleted"
    DRIFTED = "drifted"
    RUN_QUEUED = "run_queued"
    RUN_STARTED = "run_started"
    RUN_ENDED = "run_ended"
    """However it ended: the message says."""


AUDIT = frozenset(
    {
        *(EventKind.PINNED, EventKind.UNPINNED, EventKind.ROLLED_BACK, EventKind.REJECTED, EventKind.ACCEPTED),
        *(EventKind.RETRIED, EventKind.LOADED, EventKind.UNLOADED),
        *(EventKind.SHADOW_STARTED, EventKind.SHADOW_STOPPED, EventKind.ROLLOUT_STARTED, EventKind.ROLLOUT_ABORTED),
        *(EventKind.KEY_CREATED, EventKind.KEY_REVOKED, EventKind.SIGNED_IN, EventKind.SIGN_IN_FAILED),
        *(EventKind.UPLOADED, EventKind.DELETED),
    }
)
"""What people do: kept for long, and written in the same transaction as what they did."""
PEOPLE = frozenset({"key", "session"})
"""Kinds of actors who are people, or act for one."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it."""

    kind: str
    """`key`, `session`, `git` or `pawl`."""
    name: str = ""
    address: str = ""


def moment_of(id: str) -> datetime:
    """When the event of that id happened, or a little later: ids are rounded."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(id[:14], 16) + 2)


BY_ITSELF = Actor(kind="pawl")
"""What did what nobody did."""
BY_PUSH = Actor(kind="git")
"""What did what comes of a push."""
ACTOR_KINDS = ("key", "session", "git", "pawl")


_LONGEST_REASON = 1000


def as_reason(given: str) -> str:
    """As much as is kept of why somebody did something."""
    return given.strip()[:_LONGEST_REASON]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    kind: EventKind
    message: str
    model: str = ""
    """Empty when it is not about one model."""
    version: str = ""
    commit: str = ""
    detail: str = ""
    """A traceback or a tool's output."""
    actor: Actor | None = None
    """None for what happens by itself."""
    reason: str = ""
    """What the actor gave as one."""
    action: str = ""
    """The id of the action that it is a part of."""
    at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_audit(self) -> bool:
        """Whether it tells what somebody did, and not what happened by itself."""
        return self.kind in AUDIT or (self.actor is not None and self.actor.kind in PEOPLE)

    @property
    def id(self) -> str:
        """The same in every process and after a restart; of two, the later has the greater one."""
        what = sha256("/".join((self.kind, self.model, self.version)).encode()).hexdigest()
        return f"{int(self.at.timestamp() * 1e6):014x}-{what[:8]}"
