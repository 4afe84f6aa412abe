"""`pawl runs retry`."""

from __future__ import annotations

from core.paths import API_RUN_RETRY
from pawl.runs.actions import act
from pawl.runs.options import AsJson, Reason, Run, Server, Token
from pawl.sync import SERVER


def retry(run: Run, reason: Reason = "", as_json: AsJson = False, server: Server = SERVER, token: Token = "") -> None:
    """Try a run again that is over, as a new attempt with the same code, parameters and data.

    Nothing else makes a run that is over run again. One that succeeded is tried again only if what it left is no longer
    kept.

    Example:

      pawl runs retry 1f0c2b3a4d5e --reason "the disk was full"

    Exit code: 5 if the run is still going on; else as for [bold]pawl runs[/bold].
    """
    act(API_RUN_RETRY, run, reason, as_json, server, token)
