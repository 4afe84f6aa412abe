"""What is to be served, out of what the source holds: pure."""

from __future__ import annotations

from core.release import Candidate, Release, Wanted


def wanted(candidate: Candidate) -> Wanted:
    release = None if candidate.revision is None else Release(candidate.revision)
    return Wanted(candidate.model, candidate.version, release, candidate.failure)
