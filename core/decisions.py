"""What besides the source decides over which releases are live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.release import Artifact, Served, Version


@dataclass(frozen=True)
class Rejected:
    """What was turned down of a model."""

    releases: frozenset[str] = frozenset()
    """By id."""
    runs: frozenset[str] = frozenset()
    """By key: their artifacts are not taken for another revision either."""
    pinned: frozenset[str] = frozenset()
    """Of the releases, those that somebody pinned since: one that is live is left for something newer alone."""


@dataclass(frozen=True)
class Decisions:
    """What operators and the trainer decided. None: that can't be asked for now, so what was known last holds."""

    pins: Mapping[str, Served] | None = None
    """By model."""
    rejections: Mapping[str, Rejected] | None = None
    """By model."""
    targets: Mapping[str, Served] | None = None
    """By model: what its newest rollback went back to."""
    missing: Mapping[str, Version] = field(default_factory=lambda: MappingProxyType({}))
    """By model: what is pinned and can be found neither in the source nor on this disk."""
    artifacts: Mapping[str, tuple[Artifact, ...]] | None = None
    """The accepted ones by code key, the newest first."""
    runs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """State of each run that an artifact is waited from, by code key."""
    run_keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """Keys of those runs, by code key: for messages."""

    def over(self, known: Decisions) -> Decisions:
        """These, and what was known where they say nothing."""
        return Decisions(
            pins=known.pins if self.pins is None else self.pins,
            rejections=known.rejections if self.rejections is None else self.rejections,
            targets=known.targets if self.targets is None else self.targets,
            missing=known.missing if self.pins is None else self.missing,
            artifacts=known.artifacts if self.artifacts is None else self.artifacts,
            runs=self.runs,
            run_keys=self.run_keys,
        )


NO_DECISIONS = Decisions()
