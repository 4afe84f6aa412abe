"""What every measurement with the load generator needs."""

from __future__ import annotations

import typer

from bench.load import wrk
from bench.machine import processes
from bench.machine.screen import console


def prepare() -> None:
    """See that wrk is there, or end saying how to get it; take care of processes that detach themselves."""
    try:
        wrk.install()
    except wrk.NoWrk as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
    processes.adopt()
