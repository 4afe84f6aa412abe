"""Which artifacts nothing needs any more, and their removal."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import PawlError
from loader.artifacts.files.files import Stored
from loader.artifacts.store import ArtifactStore

RECENT = 3
"""Releases of a model whose artifacts are kept."""
YOUNG_S = 3600.0
"""Seconds in which an artifact may have been stored by someone whose result isn't known here yet."""
UNRECORDED_S = 86_400.0
"""Likewise for an artifact that no record names: its run may still be waiting to write one."""

log = logging.getLogger("pawl")


@dataclass(frozen=True)
class InUse:
    """Artifacts by id."""

    live: frozenset[str] = frozenset()
    """Of releases that are live, pinned, run, or are what one may go back to, here and in other installations."""
    recent: Mapping[Hashable, Sequence[str]] = field(default_factory=dict)
    """Of each model, those that its runs left, the latest first."""
    undecided: frozenset[str] = frozenset()
    """Of runs of which nobody has said yet what becomes of them."""
    decided: frozenset[str] = frozenset()
    """Of runs that are over; most of them are in use no more."""

    @property
    def ids(self) -> frozenset[str]:
        recent = (id for ids in self.recent.values() for id in list(dict.fromkeys(ids))[:RECENT])
        return self.live | self.undecided | frozenset(recent)


def unused(there: Iterable[Stored], in_use: InUse, now: float) -> list[str]:
    """Those that may go; `now` in seconds since 1970."""
    kept = in_use.ids
    return [
        one.name
        for one in there
        if one.name not in kept and one.changed < now - (YOUNG_S if one.name in in_use.decided else UNRECORDED_S)
    ]


def remove(store: ArtifactStore, ids: Iterable[str]) -> list[str]:
    """Remove them, and what unfinished uploads left; returns what went. What fails is left for the next time."""
    gone = []
    for id in ids:
        try:
            store.delete(id)
            gone.append(id)
        except PawlError as error:
            log.warning("an artifact that nothing uses stays for now: %s", error)
    store.tidy()
    return gone
