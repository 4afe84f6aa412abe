"""`python -m pawl`: the command line."""

from __future__ import annotations

import typer

from pawl.check import check
from pawl.help_text import unwrapped
from pawl.runs.command import runs
from pawl.serve import serve
from pawl.sync import sync
from pawl.train import train

_HELP = """
Serves machine-learning models straight from git: git push is the deployment.

A model is a folder with an [bold]etls.py[/bold], whose class has a method [bold]transform_predict[/bold], or with a
single [bold].onnx[/bold] file.

Would a folder go live, and if not, why?

  pawl check models_serve/Iris

Serve the folder models_serve, and what changes in it:

  pawl serve

Serve a repository, and what is pushed to it:

  gitPath=https://git.example.org/models.git pawl serve

Is what was pushed live, and if not, why?

  git push && pawl sync --wait

What would training a folder give?

  pawl train models_serve/Iris

What is being trained, and what became of it?

  pawl runs
"""


app = typer.Typer(
    name="pawl",
    help=unwrapped(_HELP),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command(help=unwrapped(check.__doc__))(check)
app.add_typer(runs, name="runs")
app.command(help=unwrapped(serve.__doc__))(serve)
app.command(help=unwrapped(sync.__doc__))(sync)
app.command(help=unwrapped(train.__doc__))(train)

if __name__ == "__main__":
    app(prog_name="pawl")
