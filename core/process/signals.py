"""Signals that whoever started this process wants it to ignore."""

from __future__ import annotations

import signal


def is_ignored(number: int) -> bool:
    """Whether it was started so, as nohup starts programs with SIGHUP, and nothing has changed that since."""
    return signal.getsignal(number) == signal.SIG_IGN
