"""`python -m pawl`: the command line."""

from __future__ import annotations

import re

import typer

from pawl.check import check
from pawl.serve import serve
from pawl.sync import sync

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
"""


def _unwrapped(text: str | None) -> str:
    """Paragraphs as one line each, to be wrapped anew where they are shown."""
    return re.sub(r"(?<=\S)\n *(?=\S)", " ", text or "")


app = typer.Typer(
    name="pawl",
    help=_unwrapped(_HELP),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command(help=_unwrapped(check.__doc__))(check)
app.command(help=_unwrapped(serve.__doc__))(serve)
app.command(help=_unwrapped(sync.__doc__))(sync)

if __name__ == "__main__":
    app(prog_name="pawl")
