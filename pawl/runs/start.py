"""`pawl runs start`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.paths import API_MODEL_RUNS
from core.run_states import RunState
from pawl.exits import FAILED, STILL_RUNNING, USAGE, CommandFailed, exit_with, told
from pawl.runs.options import AsJson, Reason, Server, Token
from pawl.sync import SERVER

if TYPE_CHECKING:
    from pawl.api import Api

_LOOK_S = 1.0


def start(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")],
    set_: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="A parameter in place of the folder's; repeat it.")
    ] = [],  # noqa: B006  # typer makes a list of its own
    commit: Annotated[
        str, typer.Option(metavar="COMMIT", show_default=False, help="Another commit than the newest, or a vN.")
    ] = "",
    reason: Reason = "",
    wait: Annotated[bool, typer.Option("--wait", help="End once the run is over.")] = False,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How long to wait at most.")] = 3600.0,
    as_json: AsJson = False,
    server: Server = SERVER,
    token: Token = "",
) -> None:
    """Train a model now. Where there is a run already for the same code, parameters and data, that is told instead.

    A run with [bold]--set[/bold] or [bold]--commit[/bold] never goes live by itself: it is for trying out, and answers
    at /{Model}/run-<key>.

    Examples:

      pawl runs start Iris --wait

      pawl runs start Iris --set depth=8 --set 'layers=[64, 32]' --reason "is deeper better?"

    Exit code: as for [bold]pawl runs[/bold]; with --wait also 1 if the run did not succeed, and 7 if it was still going
    on when the time was over.
    """
    with told():
        from pawl.api import Api, path_of
        from pawl.runs.printing import print_outcome
        from pawl.runs.run import read_run

        asked = {"params": _params(set_) or None, "commit": commit or None, "reason": reason}
        with Api(server, token) as api:
            _, found = api.post(path_of(API_MODEL_RUNS, model=model), body=asked)
            if wait:
                found = _wait(api, read_run(found).run, timeout)
        print_outcome(found, as_json)
        if wait:
            run = read_run(found)
            if run.is_going_on:
                raise exit_with(STILL_RUNNING, f"run {run.run} is still {run.state} after {timeout:g} s")
            if run.state != RunState.SUCCEEDED:
                raise exit_with(FAILED, run.message or f"the run is {run.state}")


def _params(given: list[str]) -> dict[str, Any]:
    """Values are JSON, or else text."""
    import msgspec

    found: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise CommandFailed(USAGE, f"--set takes KEY=VALUE, such as depth=8, and not {one!r}")
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


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
