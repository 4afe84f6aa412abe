"""How commands end, for who calls them from a program."""

from __future__ import annotations

DONE = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
CREDENTIALS = 4
CONFLICT = 5
UNREACHABLE = 6
STILL_RUNNING = 7
INTERRUPTED = 130


class CommandFailed(Exception):
    """A command can't do what it should; `str()` says why, and what to do."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
