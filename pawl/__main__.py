"""`pawl`, or `python -m pawl`: the command line."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import click

from core.process.signals import ending_signals
from core.process.streams import open_closed_streams
from pawl.exits import FAILED, INTERRUPTED, CommandFailed
from pawl.group import LazyGroup
from pawl.listed import SECTIONS
from pawl.terminal.text import printable

_HELP = """
Serves machine-learning models straight from git: git push is the deployment.

A model is a folder with an etls.py, whose class has a method transform_predict, or with a single .onnx file.

Examples:

  pawl check models_serve/Iris          would this folder go live, and if not, why?

  pawl serve                            serve the folder models_serve, and what changes in it

  gitPath=https://git.example.org/models.git pawl serve --background

  git push && pawl sync --wait          is what was pushed live, and if not, why?

  pawl ls                               what is live?

  pawl try Iris                         ask it

  pawl rollback Iris                    go back to what was live before

'pawl login' keeps where your server is. 'pawl COMMAND --help' tells of each command, with examples.
"""


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"pawl {version('pawl')}")
        except PackageNotFoundError:
            click.echo("pawl, from a checkout")
        context.exit()


app = LazyGroup(
    SECTIONS,
    name="pawl",
    help=_HELP,
    params=[click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version)],
)


def main() -> None:
    open_closed_streams()
    for number in ending_signals():
        signal.signal(number, _interrupt)
    sys.exit(_run())


def _interrupt(_: int, frame: FrameType | None) -> None:
    """End as by Ctrl-C, so that what a command has begun is ended with it."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # a shell's background job ignores Ctrl-C
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


def _run() -> int:
    try:
        if len(sys.argv) == 1 and "_PAWL_COMPLETE" not in os.environ:
            return app.main(["--help"], prog_name="pawl", standalone_mode=False) or 0
        return app.main(prog_name="pawl", standalone_mode=False) or 0
    except CommandFailed as failed:
        return _end(failed.code, str(failed))
    except click.Abort:
        return _end(INTERRUPTED, "interrupted")
    except click.ClickException as wrong:
        return _end(wrong.exit_code, _explained(wrong))
    except BrokenPipeError:  # whoever read us has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _end(code: int, message: str) -> int:
    click.echo(f"pawl: {printable(message)}", err=True)
    return code


def _explained(wrong: click.ClickException) -> str:
    """Where the help is that tells how it is right."""
    context = getattr(wrong, "ctx", None)
    message = wrong.format_message().rstrip(".")
    if context is None:
        return message
    return f"{message}{'' if message.endswith(('?', ')')) else ';'} see {context.command_path} --help"


if __name__ == "__main__":
    main()
