"""`pawl runs …` as one command with others below it."""

from __future__ import annotations

import typer

from pawl.help_text import unwrapped
from pawl.runs.accept import accept
from pawl.runs.cancel import cancel
from pawl.runs.list import list_runs
from pawl.runs.log import log
from pawl.runs.retry import retry
from pawl.runs.show import show
from pawl.runs.start import start

runs = typer.Typer(rich_markup_mode="rich", invoke_without_command=True, help=unwrapped(list_runs.__doc__))
runs.callback(help=unwrapped(list_runs.__doc__))(list_runs)
for command in (show, start, cancel, retry, accept, log):
    runs.command(help=unwrapped(command.__doc__))(command)
