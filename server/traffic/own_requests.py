"""Counts what Pawl asks models itself: in the history, by its stage, apart from what clients ask; not in `/metrics`."""

from __future__ import annotations

from collections.abc import Sequence

from core.release import Release
from core.traffic.bucket import Series, Stage, answer
from loader.workers.examples import Outcome
from server.traffic.traffic import Take

_LOST = 502
"""What a client would get where a worker ends of a request."""


class ProofCounts:
    """The examples of releases that are started."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def count(self, release: Release, version: str, outcomes: Sequence[Outcome]) -> None:
        """What an upload is to become goes by no version yet, and is counted as its model's alone."""
        if not outcomes:
            return
        series = Series(release.model, version, Stage.TEST, run=release.run or "")
        for outcome in outcomes:
            self._take(series, answer(outcome.status or _LOST, outcome.seconds))
