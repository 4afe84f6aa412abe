"""`pawl completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from pawl.exits import FAILED, CommandFailed
from pawl.options import command


@command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print what makes the shell complete commands, options, models and versions.

    SHELL is bash, zsh or fish.

    Examples:

      echo 'eval "$(pawl completion bash)"' >> ~/.bashrc

      echo 'eval "$(pawl completion zsh)"' >> ~/.zshrc

      pawl completion fish > ~/.config/fish/completions/pawl.fish

    Exit code: 0, or 2 for another shell.
    """
    from pawl.__main__ import app

    found = get_completion_class(shell)
    assert found is not None
    try:
        sys.stdout.write(found(app, {}, "pawl", "_PAWL_COMPLETE").source() + "\n")
    except RuntimeError as error:  # a bash that is too old for it
        raise CommandFailed(FAILED, str(error)) from error
    return 0
