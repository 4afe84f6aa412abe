"""How commands end, for who calls them from a program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

FAILED = 1
USAGE = 2
NOT_FOUND = 3
CREDENTIALS = 4
CONFLICT = 5
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


@contextmanager
def told() -> Iterator[None]:
    """What keeps the command in the block from its work is said on stderr, and ends it with the code for that."""
    try:
        yield
    except CommandFailed as failed:
        raise exit_with(failed.code, str(failed)) from failed
    except KeyboardInterrupt:
        raise exit_with(INTERRUPTED, "interrupted; the server goes on") from None
