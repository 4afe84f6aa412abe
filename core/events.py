"""What happened, for the log, the admin API and the registry."""

from __future__ import annotations

from datetime import UTC, datetime
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
    RUN_QUEUED = "run_queued"
    RUN_STARTED = "run_started"
    RUN_ENDED = "run_ended"
    """However it ended: the message says."""


AUDIT = frozenset({EventKind.PINNED, EventKind.UNPINNED, EventKind.ROLLED_BACK, EventKind.REJECTED, EventKind.ACCEPTED})
"""What people did: kept for long, and written in the same transaction as what they did."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it."""

    kind: str
    """`key`, `session`, `git` or `pawl`."""
    name: str = ""
    address: str = ""


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
    def id(self) -> str:
        """The same in every process and after a restart; of two, the later has the greater one."""
        what = sha256("/".join((self.kind, self.model, self.version)).encode()).hexdigest()
        return f"{int(self.at.timestamp() * 1e6):014x}-{what[:8]}"
