"""A model's versions as its page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.pages.card import short
from server.pages.commit_texts import first_line
from server.pages.layout import units
from server.pages.layout.chips import Chip, role_chip, state_chip
from server.pages.layout.moments import Moment, moment
from server.versions.views import VersionView


@dataclass(frozen=True)
class VersionRow:
    """Texts, none of them escaped."""

    version: str
    commit: str
    full_commit: str
    run: str
    chips: tuple[Chip, ...]
    subject: str
    author: str
    pushed: Moment | None
    examples: str
    fails: bool
    """Whether an example fails."""
    scores: tuple[tuple[str, str], ...]
    size: str
    state: str
    is_live: bool
    actions: tuple[tuple[str, str], ...]
    """What can be done with it: a label, and the act."""
    why: str
    """Why it failed or was turned down, in one line."""


def version_row(view: VersionView, now: datetime) -> VersionRow:
    examples = view.examples
    total = examples.passed + examples.failed if examples else 0
    return VersionRow(
        version=view.version,
        commit=short(view.commit),
        full_commit=view.commit,
        run=view.run or "",
        chips=(state_chip(view.state), *((role_chip(view.role),) if view.role else ())),
        subject=first_line(view.message),
        author=view.author,
        pushed=moment(view.at, now) if view.at else None,
        examples=f"{examples.passed} of {total}" if examples and total else units.DASH,
        fails=bool(examples and examples.failed),
        scores=tuple((name, units.number(score)) for name, score in view.scores.items()),
        size=units.size(view.size_bytes),
        state=view.state,
        is_live=view.role == "live",
        actions=_actions(view),
        why=_why(view),
    )


def _why(view: VersionView) -> str:
    if view.rejected is not None:
        by = view.rejected.actor.name if view.rejected.actor else ""
        said = ": ".join(part for part in (by, view.rejected.reason) if part)
        return f"rejected by {said}" if said else "rejected"
    return f"failed at {view.failure.stage}: {first_line(view.failure.message)}" if view.failure else ""


def _actions(view: VersionView) -> tuple[tuple[str, str], ...]:
    if view.role == "live":
        return (("Pin…", "pin"),)
    if view.state == "rejected":
        return (("Accept…", "accept"),)
    if view.release is None or view.state not in ("ready", "retired"):
        return ()
    back, pin = ("Roll back…", "rollback"), ("Pin…", "pin")
    return (back, pin, ("Unload…", "unload") if view.role == "on_demand" else ("Load…", "load"))
