"""`pawl runs show`."""

from __future__ import annotations

from pawl.exits import told
from pawl.runs.options import AsJson, Run, Server, Token
from pawl.sync import SERVER


def show(run: Run, as_json: AsJson = False, server: Server = SERVER, token: Token = "") -> None:
    """Tell all of one run: what became of it and why, its scores, attempts and curve, and what it ran on.

    Example:

      pawl runs show 1f0c2b3a4d5e --json

    In a pipe it prints a line for each field, with a tab after its name.
    """
    with told():
        from pawl.api import Api
        from pawl.runs.printing import print_json, print_run
        from pawl.runs.run import fetch, read_run

        with Api(server, token) as api:
            found = fetch(api, run)
        if as_json:
            print_json(found)
        else:
            print_run(read_run(found))
