"""Why an action is refused."""

from __future__ import annotations

from core.errors import PawlError


class ModelPinned(PawlError):
    """A pin holds the model's live version; `version`: which."""

    def __init__(self, message: str, version: str) -> None:
        super().__init__(message)
        self.version = version


class NoEarlierRelease(PawlError):
    """There is nothing to go back to."""


class LiveChanged(PawlError):
    """Another version is live than the caller saw; `live`: which, if any."""

    def __init__(self, message: str, live: str | None) -> None:
        super().__init__(message)
        self.live = live


class VersionIsLive(PawlError):
    """What was asked for can't be done to what is live."""
