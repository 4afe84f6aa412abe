"""Keeps the daemon's secrets from the other processes of its user."""

from __future__ import annotations

import ctypes
import logging
import os

log = logging.getLogger("pawl")

_PR_SET_DUMPABLE = 4


def forbid_dumping() -> None:
    """Nobody of our own user may read our memory or environment through /proc (prctl(2), PR_SET_DUMPABLE)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def warn_of_root() -> None:
    """Where we run as root, the log says what follows."""
    if os.geteuid() == 0:
        log.warning(
            "Pawl runs as root, and so do the models: read-only files stop none of them from changing what is served, "
            "nor Pawl itself; run it as another user"
        )
