"""`pawl runs accept`."""

from __future__ import annotations

import click

from core.paths import API_RUN_ACCEPT
from pawl.client.api import Api
from pawl.options import as_json, asks_server, command
from pawl.runs.actions import act
from pawl.runs.options import run


@command("accept")
@run
@click.option("--reason", required=True, metavar="TEXT", help="Why it is good enough, for those who ask later.")
@as_json
@asks_server
def accept(api: Api, run: str, reason: str, fields: str | None) -> None:
    """Take a rejected run all the same: what it left goes live once it has proved its examples.

    Example:

      pawl runs accept 1f0c2b3a4d5e --reason "the target was meant for the old test set"

    Exit code: 5 if the run is not rejected; else as for 'pawl runs'.
    """
    act(api, API_RUN_ACCEPT, run, reason, fields)
