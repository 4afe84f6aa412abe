"""The ledger of what was live, as a model's page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.pages.card import short
from server.pages.events.lines import who
from server.pages.facts import CommitText
from server.pages.layout.chips import Chip
from server.pages.layout.moments import Moment, duration, moment
from server.versions.views import DeploymentView

_CAUSES = {
    "push": Chip("", "push", "push"),
    "rollback": Chip("", "back", "rollback"),
    "pin": Chip("", "pin", "pin"),
    "unpin": Chip("", "pin", "unpin"),
    "canary": Chip("", "canary", "canary"),
    "train": Chip("", "train", "train"),
    "restart": Chip("", "sync", "restart"),
}


@dataclass(frozen=True)
class DeploymentRow:
    """Texts, none of them escaped."""

    version: str
    commit: str
    run: str
    began: Moment
    lasted: str
    cause: Chip
    who: str
    why: str
    """What somebody said who acted; of a push, what its commit says."""


_BY_COMMIT = ("push", "train", "restart")


def deployment_row(one: DeploymentView, now: datetime, text: CommitText | None = None) -> DeploymentRow:
    """`text`: what its commit says."""
    told = text if one.cause in _BY_COMMIT else None
    lasted = duration(((one.ended_at or now) - one.began_at).total_seconds())
    return DeploymentRow(
        version=one.version,
        commit=short(one.commit),
        run=one.run or "",
        began=moment(one.began_at, now),
        lasted=lasted if one.ended_at else f"{lasted}, still",
        cause=_CAUSES.get(one.cause) or Chip("", "ready", one.cause),
        who=f"{told.author}, {who(one.actor)}" if told and told.author else who(one.actor),
        why=one.reason or (told.subject if told else ""),
    )
