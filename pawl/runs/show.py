"""`pawl runs show`."""

from __future__ import annotations

from pawl.client.api import Api
from pawl.options import as_json, asks_server, command
from pawl.runs.options import run


@command("show")
@run
@as_json
@asks_server
def show(api: Api, run: str, fields: str | None) -> None:
    """Tell all of one run: what became of it and why, its scores, attempts and curve, and what it ran on.

    Example:

      pawl runs show 1f0c2b3a4d5e --json

    In a pipe it prints a line for each field, with a tab after its name.
    """
    from pawl.runs.printing import print_run
    from pawl.runs.run import fetch, read_run
    from pawl.terminal.json_output import print_json

    found = fetch(api, run)
    if fields is not None:
        print_json(found, fields)
    else:
        print_run(read_run(found))
