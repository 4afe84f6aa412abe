"""`pawl runs cancel`."""

from __future__ import annotations

from core.paths import API_RUN_CANCEL
from pawl.runs.actions import act
from pawl.runs.options import AsJson, Reason, Run, Server, Token
from pawl.sync import SERVER


def cancel(run: Run, reason: Reason = "", as_json: AsJson = False, server: Server = SERVER, token: Token = "") -> None:
    """End a run that is going on or waits, with all that it started; what is live stays live.

    Example:

      pawl runs cancel 1f0c2b3a4d5e --reason "the data of May is missing"

    Exit code: 5 if the run is over already; else as for [bold]pawl runs[/bold].
    """
    act(API_RUN_CANCEL, run, reason, as_json, server, token)
