"""`pawl serve`."""

from __future__ import annotations

import typer


def serve() -> None:
    """Serve models, until SIGTERM or Ctrl-C.

    Follows the repository that [bold]gitPath[/bold] names or, without it, the folder [bold]models_serve[/bold] here.
    Settings are environment variables; env.example lists them.

    Examples:

      pawl serve

      PORT=8080 gitPath=git@git.example.org:team/models.git gitSshKeyFile=~/.ssh/id_ed25519 pawl serve

    A stop lets requests in flight finish; a second signal cuts them off.

    Exit code: 0 after a stop that was asked for, 1 when it was cut short, 2 if it could not start.
    """
    from server.__main__ import main  # the whole server: too slow to import for --help

    raise typer.Exit(main([]))
