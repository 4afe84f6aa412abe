"""Why an upload is not taken in, or not yet."""

from __future__ import annotations

from core.errors import PawlError
from server.steering.actions.actions import Action


class NameTaken(PawlError):
    """No model can be called so."""


class UploadTooLarge(PawlError):
    """The body is over the bound."""


class ManifestChanged(PawlError):
    """Somebody else has changed the manifest meanwhile."""


class TooManyUploads(PawlError):
    """As many are coming in as may."""


class StillUnderWay(PawlError):
    """It takes longer than is waited for; `action` tells how it goes on."""

    def __init__(self, action: Action) -> None:
        super().__init__(f"{action.action} of {action.model} goes on")
        self.action = action
