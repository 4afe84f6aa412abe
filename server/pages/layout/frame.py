"""What stands around every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from server.pages.layout.moments import ago
from server.pages.layout.theme import Theme
from server.pages.links import Links
from server.state import SourceState


@dataclass(frozen=True)
class Frame:
    """Texts, none of them escaped."""

    at: Links
    path: str
    """This page's, with its query: where to come back to."""
    here: str
    """Which entry of the navigation this page belongs to."""
    theme: Theme
    nonce: str
    source: str
    head: str
    looked: str
    """How long ago it was read; empty: not since the start."""
    problem: str
    """Why no models can be taken from the source; empty while they can."""
    is_loading: bool
    who: str
    """Name of who is signed in; empty where nobody is."""


def frame(at: Links, path: str, here: str, theme: Theme, nonce: str, state: SourceState, who: str) -> Frame:
    return Frame(
        at=at,
        path=path,
        here=here,
        theme=theme,
        nonce=nonce,
        source=state.source,
        head=state.head,
        looked="" if state.sync_age_s is None else ago(timedelta(seconds=state.sync_age_s)),
        problem=state.problem or "",
        is_loading=not state.ready,
        who=who,
    )
