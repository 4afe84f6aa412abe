"""Who hands something in, and what came of it."""

from __future__ import annotations

import msgspec

from core.events import Actor, Event, EventKind


class Author(msgspec.Struct, frozen=True):
    """Who hands in a change, why, and which head he saw."""

    actor: Actor
    reason: str = ""
    head: str = ""
    """Empty: whichever there is."""

    def message(self, subject: str, by: str = "Uploaded") -> str:
        """Of the commit; `by` says what was done."""
        reason = self.reason.replace("\0", " ").strip()  # git takes no NUL in a message
        body = f"\n{reason}\n" if reason else ""
        return f"{subject}\n{body}\n{by} through Pawl by {self.actor.name or 'a program of this machine'}.\n"

    def event(self, kind: EventKind, model: str) -> Event:
        """What is told of it, but for how it ended."""
        return Event(kind=kind, message="", model=model, actor=self.actor, reason=self.reason)


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload, or a deletion, came to."""

    model: str
    commit: str
    """Empty for a deletion from a local folder."""
    release: str | None
    """That was proven; None: the model goes, or has to be trained first."""
    changed: bool = True
    """Whether it was not there before, as it was handed in."""
