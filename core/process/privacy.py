"""Keeps a process's secrets from the other processes of its user."""

from __future__ import annotations

import ctypes

_PR_SET_DUMPABLE = 4


def forbid_dumping() -> None:
    """Nobody of our own user may read our memory or environment through /proc (prctl(2), PR_SET_DUMPABLE)."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
