"""`pawl runs retry`."""

from __future__ import annotations

from core.paths import API_RUN_RETRY
from pawl.client.api import Api
from pawl.options import as_json, asks_server, command, reason
from pawl.runs.actions import act
from pawl.runs.options import run


@command("retry")
@run
@reason
@as_json
@asks_server
def retry(api: Api, run: str, reason: str, fields: str | None) -> None:
    """Try a run again that is over, as a new attempt with the same code, parameters and data.

    Nothing else makes a run that is over run again. One that succeeded is tried again only if what it left is no longer
    kept.

    Example:

      pawl runs retry 1f0c2b3a4d5e --reason "the disk was full"

    Exit code: 5 if the run is still going on; else as for 'pawl runs'.
    """
    act(api, API_RUN_RETRY, run, reason, fields)
