"""Why an upload is not taken in, or not yet."""

from __future__ import annotations

import errno
from pathlib import Path

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


class NotKept(PawlError):
    """What is handed in can't be written down, or looked into, for a reason that is the machine's."""


class DiskFull(NotKept):
    """There is no room for it."""


class NotExamined(NotKept):
    """What is handed in can't be looked into now, which says nothing of it."""


def not_kept(error: OSError, folder: Path) -> NotKept:
    """`folder`: where all that is handed in is written."""
    said = f"the change could not be kept in {error.filename or folder}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{said}; make room on the disk that holds DATA_DIR, and send it again; nothing was changed")
    return NotKept(f"{said}; see to the disk that holds DATA_DIR; nothing was changed")


class StillUnderWay(PawlError):
    """It takes longer than is waited for; `action` tells how it goes on."""

    def __init__(self, action: Action) -> None:
        super().__init__(f"{action.action} of {action.model} goes on")
        self.action = action
