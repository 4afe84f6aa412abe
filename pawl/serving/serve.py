"""`pawl serve`."""

from __future__ import annotations

import click

from pawl.options import as_json, command


@command("serve")
@click.option("--background", is_flag=True, help="Start it, say where it listens, and return.")
@as_json
def serve(background: bool, fields: str | None) -> int:
    """Serve models, until SIGTERM, Ctrl-C, or the end of the terminal.

    Follows the repository that gitPath names or, without it, the folder models_serve here. Settings are environment
    variables; env.example lists them.

    Examples:

      pawl serve

      pawl serve --background && pawl ls

      PORT=8080 gitPath=git@git.example.org:team/models.git gitSshKeyFile=~/.ssh/id_ed25519 pawl serve

    A stop lets requests in flight finish; a second signal cuts them off. In the background it goes on when the terminal
    is closed, and ends with 'pawl stop'; what it prints goes to the file log in DATA_DIR (.pawl).

    Exit code: 0 after a stop that was asked for, or once it serves in the background; 1 when it was cut short; 2 if it
    could not start.
    """
    if background:
        from pawl.serving.background import start

        return start(fields)
    if fields is not None:
        raise click.UsageError("--json goes with --background", click.get_current_context())
    from server.__main__ import main  # the whole server: too slow to import for --help

    return main([])
