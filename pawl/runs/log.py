"""`pawl runs log`."""

from __future__ import annotations

import codecs
import sys
import time
from collections.abc import Callable

import click

from core.paths import API_RUN_LOG
from pawl.client.api import Api
from pawl.options import as_json, asks_server, command
from pawl.runs.options import run
from pawl.runs.paths import path_of
from pawl.terminal.json_output import print_json
from pawl.terminal.text import is_terminal, printable

_PAUSE_S = 1.0


@command("log")
@run
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is over.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="NUMBER", help="Another attempt than the last.")
@as_json
@asks_server
def log(api: Api, run: str, follow: bool, attempt: int | None, fields: str | None) -> None:
    """Print what a run's code has printed. Of a long log, the middle is cut out, and a line says how much.

    Example:

      pawl runs log -f 1f0c2b3a4d5e
    """
    path, asked = path_of(API_RUN_LOG, run=run), {"attempt": attempt} if attempt else {}
    if fields is not None:
        if follow:
            raise click.UsageError("--json goes without -f", click.get_current_context())
        with api.stream(path, asked) as (_, pieces):
            print_json({"log": b"".join(pieces).decode("utf-8", "replace")}, fields)
        return
    if follow:
        _follow(api, path, run, attempt)
    else:
        _copy(api, path, asked)


def _follow(api: Api, path: str, run: str, attempt: int | None) -> None:
    """The server ends a stream now and then, and is asked again for what follows."""
    from pawl.runs.run import fetch, read_run

    followed, offset = attempt or 0, 0
    while True:
        now = read_run(fetch(api, run))
        if not attempt and max(now.attempts, 1) != followed:
            followed, offset = max(now.attempts, 1), 0
        before, offset = offset, _copy(api, path, {"follow": 1, "attempt": followed, "offset": offset}, offset)
        if offset == before and now.is_going_on:
            time.sleep(_PAUSE_S)  # it is between two attempts
        if not now.is_going_on or (attempt and now.attempts > attempt):
            return


def _copy(api: Api, path: str, query: dict[str, int], offset: int = 0) -> int:
    """Where to go on."""
    with api.stream(path, query) as (headers, pieces):
        begins = int(headers.get("x-pawl-log-offset", offset))
        if begins > offset:
            sys.stdout.write(f"\n... {begins - offset} bytes are left out here ...\n")
            sys.stdout.flush()
        write = _write_shown() if is_terminal() else _write_whole
        for piece in pieces:
            write(piece)
            begins += len(piece)
    return begins


def _write_whole(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _write_shown() -> Callable[[bytes], None]:
    """What a run prints moves no cursor here; a bar that is drawn over itself is shown line by line."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(piece: bytes) -> None:
        sys.stdout.write(printable(decoder.decode(piece).replace("\r\n", "\n").replace("\r", "\n")))
        sys.stdout.flush()

    return write
