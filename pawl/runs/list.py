"""`pawl runs`."""

from __future__ import annotations

import click

from core.paths import API_RUNS
from core.runs.states import RunState
from pawl.client.api import Api
from pawl.options import as_json, asks_server, command, complete_models, limit


@command("runs")
@click.option("--model", metavar="MODEL", default="", shell_complete=complete_models, help="Runs of that model alone.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in RunState]),
    metavar="STATE",
    help="Runs in that state alone.",
)
@limit(50)
@as_json
@asks_server
def list_runs(api: Api, model: str, state: str | None, limit: int, fields: str | None) -> None:
    """List training runs, the newest first, or do something about one.

    A run is one execution of a model's training code. It begins by itself when a push changes the code, its parameters
    or its data. succeeded: what it left is served, unless the run had params of its own. rejected: its
    scores were not good enough; failed: its code, its data or its environment. Then what was live stays live.

    Examples:

      pawl runs --model Iris --state rejected

      pawl runs show 1f0c2b3a4d5e

      pawl runs log -f 1f0c2b3a4d5e

      pawl runs --json | jq '.[0].scores'

    In a pipe it prints a line for each run: key, model, state, reason, scores, commit, time and message, with tabs
    between them.

    Exit code: 0, also where there are none; 1 if the server refuses, 2 for a wrong argument, 3 for what is not there,
    4 for a wrong or missing token, 5 for what the run's state does not allow, 6 if the server can't be reached.
    """
    from pawl.runs.printing import print_list  # here and below: what is slow to import, not for --help
    from pawl.runs.run import read_run
    from pawl.terminal.json_output import print_json

    found = api.items(API_RUNS.template, limit, {"model": model, "state": state})
    if fields is not None:
        print_json(found, fields)
    else:
        print_list([read_run(one) for one in found])
