"""How commands end, for who calls them from a program."""

from __future__ import annotations

import typer

FAILED = 1
USAGE = 2
NOT_FOUND = 3
CREDENTIALS = 4
UNREACHABLE = 6
STILL_RUNNING = 7
INTERRUPTED = 130


class CommandFailed(Exception):
    """A command can't do what it should; `str()` says why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def exit_with(code: int, message: str) -> typer.Exit:
    """Says why on stderr; to be raised."""
    typer.echo(f"pawl: {message}", err=True)
    return typer.Exit(code)
