"""Which artifacts go."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import PawlError
from loader.artifacts.files.files import Stored
from loader.artifacts.store import ArtifactStore

RECENT = 3
"""Releases of a model whose artifacts are kept."""
YOUNG_S = 3600.0
"""Seconds in which an artifact may have been stored by someone whose result isn't known here yet."""

log = logging.getLogger("pawl")


@dataclass(frozen=True)
class InUse:
    """Artifacts by id."""

    live: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    recent: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of each model, those of its releases, the latest first."""
    asked: frozenset[str] = frozenset()
    """Of runs that have not ended, and of pools that were asked for by name."""

    @property
    def ids(self) -> frozenset[str]:
        recent = (id for ids in self.recent.values() for id in list(dict.fromkeys(ids))[:RECENT])
        return self.live | self.pinned | self.asked | frozenset(recent)


def unused(there: Iterable[Stored], in_use: InUse, now: float) -> list[str]:
    """Those that may go; `now` in seconds since 1970."""
    return [one.name for one in there if one.name not in in_use.ids and one.changed < now - YOUNG_S]


def prune(store: ArtifactStore, in_use: InUse, now: float) -> list[str]:
    """Remove what may go, and what unfinished uploads left; returns what went. What fails is left for the next time.

    Raises StoreUnavailable where the store can't be listed.
    """
    gone = []
    for id in unused(store.list(), in_use, now):
        try:
            store.delete(id)
            gone.append(id)
        except PawlError as error:
            log.warning("an artifact that nothing uses stays for now: %s", error)
    store.tidy()
    return gone
