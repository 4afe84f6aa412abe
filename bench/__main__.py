"""`scripts/bench`: which measurement to run."""

from __future__ import annotations

import typer

from bench import beside, database, gpu, history, lists, pages, pod, push, quick, serve, starts, tail, traffic
from bench.machine import processes
from bench.report import publish
from bench.steering import agreement, kills, switches

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Measures Pawl on this machine.")


@app.callback()
def main() -> None:
    """Each command starts servers of its own on free ports, and stops them."""
    processes.leave_nothing_behind()


app.command("quick")(quick.main)
app.command("serve")(serve.main)
app.command("history")(history.main)
app.command("beside")(beside.main)
app.command("database")(database.main)
app.command("gpu")(gpu.main)
app.command("lists")(lists.main)
app.command("pages")(pages.main)
app.command("pod")(pod.main)
app.command("starts")(starts.main)
app.command("publish")(publish.main)
app.command("push")(push.main)
app.command("tail")(tail.main)
app.command("traffic")(traffic.main)
app.command("agreement")(agreement.main)
app.command("switches")(switches.main)
app.command("kills")(kills.main)

if __name__ == "__main__":
    app()
