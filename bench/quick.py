"""`scripts/bench quick`: before and after a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from bench import against
from bench.figures import figures_file
from bench.figures.rounds import NotMeasured, Rounds, Spread
from bench.figures.table import tables
from bench.machine.screen import console
from bench.prepare import prepare
from bench.serve import Plan, run

_MODELS = ("trees", "network")
_CONNECTIONS = 32


def main(
    seconds: Annotated[float, typer.Option(help="of each measurement", min=1)] = 4.0,
    rounds: Annotated[
        int | None, typer.Option(help="how often both take their turn: 3; 9 with --against and --auth", min=1)
    ] = None,
    commit: Annotated[
        str, typer.Option("--against", help="a commit of Pawl to compare with, in place of the bare app")
    ] = "",
    auth: Annotated[str, typer.Option(help="keys: what that costs, beside a server that anybody may ask")] = "",
) -> None:
    """Pawl and the bare app only, in under two minutes: their ratio is what a change may move.

    With --auth keys, a server with AUTH=keys and one without are asked in turn in the same way.

    With --against COMMIT, this checkout and that commit serve side by side and are asked in turn; what counts is the
    CPU time of a request, the median of all turns, beside how far the turns differ.
    """
    prepare()
    if auth:
        against.compare_auth(auth, seconds, rounds or 9)
    elif commit:
        against.compare(commit, seconds, rounds or 9)
    else:
        _beside_the_bare_app(seconds, rounds or 3)


def _beside_the_bare_app(seconds: float, rounds: int) -> None:
    now = figures_file.commit()
    before = figures_file.newest("quick", lambda kept: kept["commit"] != now)
    done = run(Plan(["bare", "pawl"], _MODELS, [_CONNECTIONS], seconds, rounds, server_cores=2, limits=False))
    for table in tables(done):
        console.print(table)
    try:
        ratios = {f"{model}: {what}": spread for model in _MODELS for what, spread in _ratios(done, model).items()}
    except NotMeasured as error:
        console.print(f"[red]no ratio without {error}[/red]")
        raise typer.Exit(1) from error
    figures_file.write("quick", {"figures": {what: spread.value for what, spread in ratios.items()}})
    _tell(ratios, before)


def _ratios(done: Rounds, model: str) -> Mapping[str, Spread]:
    """Of rates, and of CPU time, which other work on the machine disturbs less."""
    pawl, bare = ("pawl", model, _CONNECTIONS), ("bare", model, _CONNECTIONS)
    return {
        "requests/s, of the bare app's": done.spread(lambda view: view.rate(*pawl) / view.rate(*bare)),
        "CPU time of a request, times the bare app's": done.spread(
            lambda view: view.sample(*pawl).cpu_sum_s / view.sample(*bare).cpu_sum_s
        ),
    }


def _tell(ratios: Mapping[str, Spread], before: figures_file.Kept | None) -> None:
    for what, spread in ratios.items():
        console.print(f"{what:<56} [bold]{spread}[/bold]{_change(what, spread, before)}")


def _change(what: str, spread: Spread, before: figures_file.Kept | None) -> str:
    """Beside the last run of another commit."""
    was = before["figures"].get(what) if before else None
    if before is None or was is None:
        return ""
    return f"  {spread.value / was - 1:+.1%} since {was:.2f} at {before['commit']}"
