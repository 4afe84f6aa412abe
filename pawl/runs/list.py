"""`pawl runs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.paths import API_RUNS
from core.run_states import RunState
from pawl.exits import told
from pawl.runs.options import AsJson, Server, Token
from pawl.sync import SERVER

if TYPE_CHECKING:
    from pawl.api import Api

_A_PAGE = 1000
"""What the server gives at a time."""


def list_runs(
    context: typer.Context,
    model: Annotated[str, typer.Option(metavar="MODEL", show_default=False, help="Runs of that model alone.")] = "",
    state: Annotated[RunState | None, typer.Option(show_default=False, help="Runs in that state alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="How many at most.")] = 50,
    as_json: AsJson = False,
    server: Server = SERVER,
    token: Token = "",
) -> None:
    """List training runs, the newest first, or do something about one.

    A run is one execution of a model's training code. It begins by itself when a push changes the code, its parameters
    or its data. [bold]succeeded[/bold]: what it left is served. [bold]rejected[/bold]: its scores were not good enough;
    [bold]failed[/bold]: its code, its data or its environment. Then what was live stays live.

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
    if context.invoked_subcommand is not None:
        return
    with told():
        from pawl.api import Api  # here and below: what is slow to import, not for --help
        from pawl.runs.printing import print_json, print_list
        from pawl.runs.run import read_run

        with Api(server, token) as api:
            found = _fetch(api, limit, {"model": model} | ({"state": state.value} if state else {}))
        if as_json:
            print_json(found)
        else:
            print_list([read_run(one) for one in found])


def _fetch(api: Api, limit: int, query: dict[str, str]) -> list[Any]:
    found: list[Any] = []
    while len(found) < limit:
        page = api.get(API_RUNS.template, **query, limit=min(limit - len(found), _A_PAGE))
        found += page["items"]
        if page["next"] is None:
            break
        query = {**query, "cursor": page["next"]}
    return found
