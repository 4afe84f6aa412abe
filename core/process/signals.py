"""Signals: which this process was started to ignore, and what they are called."""

from __future__ import annotations

import signal


def is_ignored(number: int) -> bool:
    """Whether this process ignores it: nohup, say, starts programs so with SIGHUP."""
    return signal.getsignal(number) == signal.SIG_IGN


def ending_signals() -> list[signal.Signals]:
    """Those that tell this process to end. Not SIGHUP, if it was started to ignore that."""
    return [signal.SIGTERM] if is_ignored(signal.SIGHUP) else [signal.SIGTERM, signal.SIGHUP]


def signal_name(number: int) -> str:
    """Also of one that this Python has no name for, such as most real-time signals."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
