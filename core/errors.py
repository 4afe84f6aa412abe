"""Everything that goes wrong by name. Status and exit codes are chosen at the edges, not here."""

from __future__ import annotations

from enum import IntEnum


class PawlError(Exception):
    """What happened, where, and what to do about it, in words that its reader can act on."""


class SettingError(PawlError):
    """An environment variable holds what it can't."""


class SourceError(PawlError):
    """The followed repository or folder could not be read, or holds no model: nothing changes until that is mended."""


class Heals(IntEnum):
    """Whether a release that failed might do better on another try."""

    NEVER = 0
    """Not as it is: a syntax error, a wrong manifest, requirements that don't resolve, an unexpected answer."""
    MAYBE = 1
    """The author's code raised, which may have had a reason outside of it: worth some tries."""
    WITH_MACHINE = 2
    """The machine lacked something (disk, memory, network): tried until it has it, ever more rarely."""


class ReleaseFailed(PawlError):
    """A release can't be served.

    `stage` says where: at its manifest, checkout, environment, memory, load or examples. `detail` holds a traceback or
    a tool's output.
    """

    def __init__(self, message: str, *, stage: str, detail: str = "", heals: Heals = Heals.NEVER) -> None:
        super().__init__(message)
        self.stage = stage
        self.detail = detail
        self.heals = heals


class ReleaseGone(ReleaseFailed):
    """A release can't be served, since its artifact is no longer kept."""

    def __init__(self, message: str) -> None:
        super().__init__(message, stage="checkout", heals=Heals.WITH_MACHINE)  # a retry of its run leaves it again


def failure_of_ours(error: Exception) -> ReleaseFailed:
    """What nobody thought of fails the release that it came up with, and no other."""
    return ReleaseFailed(f"Pawl itself failed: {error!r}"[:500], stage="load", heals=Heals.WITH_MACHINE)


class VersionNotFound(PawlError):
    """No commit reachable from the followed branch goes by that name."""


class VersionAmbiguous(PawlError):
    """Several commits go by that name; `commits` are their full hashes."""

    def __init__(self, message: str, commits: tuple[str, ...]) -> None:
        super().__init__(message)
        self.commits = commits


class NotTrained(PawlError):
    """A revision has no accepted artifact; `run`: the state of the run that it is waited from, if that is known."""

    def __init__(self, message: str, run: str | None = None) -> None:
        super().__init__(message)
        self.run = run


class StoreUnavailable(PawlError):
    """The store of artifacts is slow, full, read-only or gone; another try may help."""


class ArtifactGone(PawlError):
    """The store holds no artifact of that name."""


class ArtifactDamaged(PawlError):
    """A file of an artifact is not what was stored."""


class ArtifactRefused(PawlError):
    """A run left what can't be kept as an artifact."""


class DatasetUnavailable(PawlError):
    """A dataset can't be had; `heals` says whether another try may help."""

    def __init__(self, message: str, *, heals: Heals) -> None:
        super().__init__(message)
        self.heals = heals


class RunNotFound(PawlError):
    """No run goes by that key."""


class RunStateConflict(PawlError):
    """A run can't do that in the state in which it is."""


class NotTrainable(PawlError):
    """A model can't be trained so: it has no training code, or what was asked for doesn't fit it."""
