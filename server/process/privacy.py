"""What a user should know about who the daemon runs as."""

from __future__ import annotations

import logging
import os

log = logging.getLogger("pawl")


def warn_of_root() -> None:
    """Where we run as root, the log says what follows."""
    if os.geteuid() == 0:
        log.warning(
            "Pawl runs as root, and so do the models: read-only files stop none of them from changing what is served, "
            "nor Pawl itself; run it as another user"
        )
