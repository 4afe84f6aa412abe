"""`pawl runs cancel`."""

from __future__ import annotations

from core.paths import API_RUN_CANCEL
from pawl.client.api import Api
from pawl.options import as_json, asks_server, command, reason
from pawl.runs.actions import act
from pawl.runs.options import run


@command("cancel")
@run
@reason
@as_json
@asks_server
def cancel(api: Api, run: str, reason: str, fields: str | None) -> None:
    """End a run that is going on or waits, with all that it started; what is live stays live.

    Example:

      pawl runs cancel 1f0c2b3a4d5e --reason "the data of May is missing"

    Exit code: 5 if the run is over already; else as for 'pawl runs'.
    """
    act(api, API_RUN_CANCEL, run, reason, fields)
