"""`scripts/bench`: which measurement to run."""

from __future__ import annotations

import typer

from bench import (
    burst,
    fanout,
    gateways,
    gpu,
    history,
    large,
    many,
    processes,
    publish,
    push,
    quick,
    serve,
    start,
    tail,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Measures Pawl on this machine.")


@app.callback()
def main() -> None:
    """Each command starts servers of its own on free ports, and stops them."""
    processes.leave_nothing_behind()


app.command("quick")(quick.main)
app.command("serve")(serve.main)
app.command("burst")(burst.main)
app.command("all")(fanout.main)
app.command("history")(history.main)
app.command("large")(large.main)
app.command("gateways")(gateways.main)
app.command("gpu")(gpu.main)
app.command("many")(many.main)
app.command("publish")(publish.main)
app.command("push")(push.main)
app.command("start")(start.main)
app.command("tail")(tail.main)

if __name__ == "__main__":
    app()
