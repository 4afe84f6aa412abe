"""`pawl runs start`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from core.paths import API_MODEL_RUNS
from core.runs.states import RunState
from pawl.client.api import Api
from pawl.exits import FAILED, STILL_RUNNING, CommandFailed
from pawl.options import FiniteRange, as_json, asks_server, command, model, reason
from pawl.params import read_params
from pawl.runs.actions import FIELDS, MORE_FIELDS
from pawl.runs.paths import path_of

if TYPE_CHECKING:
    from pawl.runs.run import Run

_LOOK_S = 1.0
_WAS_THERE = 200


@command("start")
@model
@click.option(
    "--set", "set_", multiple=True, metavar="KEY=VALUE", help="A parameter in place of the folder's; repeat it."
)
@click.option("--commit", default="", metavar="COMMIT", help="Another commit than the newest, or a vN.")
@reason
@click.option("--wait", is_flag=True, help="End once the run is over.")
@click.option(
    "--timeout",
    type=FiniteRange(min=1),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait at most.",
)
@as_json
@asks_server
def start(
    api: Api,
    model: str,
    set_: tuple[str, ...],
    commit: str,
    reason: str,
    wait: bool,
    timeout: float,
    fields: str | None,
) -> None:
    """Train a model now. Where there is a run already for the same code, parameters and data, that is told instead.

    A run with --set or --commit never goes live by itself: it is for trying out, and answers
    at /{Model}/run-<key>.

    Examples:

      pawl runs start Iris --wait

      pawl runs start Iris --set depth=8 --set 'layers=[64, 32]' --reason "is deeper better?"

    Exit code: as for pawl runs; with --wait also 1 if the run did not succeed, and 7 if it was still going
    on when the time was over.
    """
    from pawl.runs.printing import print_outcome
    from pawl.runs.run import read_run
    from pawl.terminal.json_output import check_fields

    check_fields(fields or "", (*FIELDS, *(MORE_FIELDS if wait else ())))
    asked = {"params": read_params(set_) or None, "commit": commit or None, "reason": reason}
    answer = api.send("POST", path_of(API_MODEL_RUNS, model=model), asked)
    found = answer.json
    if answer.status == _WAS_THERE:
        click.echo(what_there_is(read_run(found)), err=True)
    if wait:
        found = _wait(api, read_run(found).run, timeout)
    print_outcome(found, fields)
    if wait:
        run = read_run(found)
        if run.is_going_on:
            raise CommandFailed(STILL_RUNNING, f"run {run.run} is still {run.state} after {timeout:g} s")
        if run.state != RunState.SUCCEEDED:
            raise CommandFailed(FAILED, run.message or f"the run is {run.state}")


def what_there_is(run: Run) -> str:
    """Why nothing was started, and what can be done about that."""
    about = f"run {run.run} of the same code, parameters and data"
    if run.is_going_on:
        return f"{about} is {run.state} already"
    again = f"'pawl runs retry {run.run}' tries it again"
    if run.state == RunState.SUCCEEDED:
        return f"{about} is over, and no other was started: it is {run.why}; {again} once what it left is not kept"
    accept = f"'pawl runs accept {run.run}' takes it all the same, and " if run.state == RunState.REJECTED else ""
    return f"{about} is over, and no other was started: it is {run.why}; {accept}{again}"


def _wait(api: Api, run: str, timeout_s: float) -> Any:
    from rich.console import Console
    from rich.text import Text

    from pawl.runs.run import fetch, read_run

    end = time.monotonic() + timeout_s
    with Console(stderr=True).status("waiting for the run…") as status:
        while True:
            answer = fetch(api, run)
            found = read_run(answer)
            if not found.is_going_on or time.monotonic() >= end:
                return answer
            sys.stderr.flush()
            status.update(Text(f"{found.state} {found.how_far}"))
            time.sleep(min(_LOOK_S, max(0.0, end - time.monotonic())))
