"""What is known of the source that is followed: what was read of it last, or why no models can be taken from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from core.events import BY_PUSH, Event, EventKind
from core.release import Snapshot


class KnownSource:
    """Each change of it is recorded as an event."""

    def __init__(self, where: str, record: Callable[[Event], None]) -> None:
        """`where`: what is followed, in words."""
        self.head = ""
        """The commit that was looked at last; "" before the first look."""
        self.look_s = 0.0
        """How long the last look took, most of it for what it fetched."""
        self.problem: str | None = None
        """Why no models can be taken from it, while they can't."""
        self.seen_at: float | None = None
        """When it was last read, in `time.monotonic()`."""
        self.left_out: Mapping[str, str] = {}
        """Folders that look like models and are not served, with the reason."""
        self._where = where
        self._record = record

    @property
    def age_s(self) -> float | None:
        """Seconds since it was last read."""
        return None if self.seen_at is None else round(max(0.0, time.monotonic() - self.seen_at), 3)

    def saw(self, snapshot: Snapshot, look_s: float) -> bool:
        """It was read; whether the head is another than before."""
        is_moved = snapshot.head != self.head
        if self.problem is not None:
            self._record(Event(kind=EventKind.SOURCE_BACK, message=f"{self._where} can be read, and has models"))
        if snapshot.left_behind and is_moved:
            self._record(_rewritten(snapshot))
        self.head, self.problem, self.seen_at, self.look_s = snapshot.head, None, time.monotonic(), look_s
        self._note_left_out(snapshot.left_out)
        return is_moved

    def lost(self, problem: str, stays: str) -> None:
        """It can't be read, or holds no model. `stays`: what that means for what is served."""
        if problem != self.problem:
            self._record(Event(kind=EventKind.SOURCE_LOST, message=f"{problem} ({stays})"))
        self.problem = problem

    def _note_left_out(self, left_out: Mapping[str, str]) -> None:
        for name, reason in left_out.items():
            if self.left_out.get(name) != reason:
                self._record(Event(kind=EventKind.LEFT_OUT, message=f"{name} is left out: {reason}", actor=BY_PUSH))
        self.left_out = left_out


def _rewritten(snapshot: Snapshot) -> Event:
    message = (
        f"history was rewritten: {snapshot.head} does not lead back to {snapshot.left_behind}; "
        "versions are counted on the new history, so numbers may have changed"
    )
    return Event(kind=EventKind.HISTORY_REWRITTEN, message=message, commit=snapshot.head, actor=BY_PUSH)
