"""`pawl runs accept`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.paths import API_RUN_ACCEPT
from pawl.runs.actions import act
from pawl.runs.options import AsJson, Run, Server, Token
from pawl.sync import SERVER


def accept(
    run: Run,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is good enough, for those who ask later.")],
    as_json: AsJson = False,
    server: Server = SERVER,
    token: Token = "",
) -> None:
    """Take a rejected run all the same: what it left goes live once it has proved its examples.

    Example:

      pawl runs accept 1f0c2b3a4d5e --reason "the target was meant for the old test set"

    Exit code: 5 if the run is not rejected; else as for [bold]pawl runs[/bold].
    """
    act(API_RUN_ACCEPT, run, reason, as_json, server, token)
