"""`pawl check FOLDER`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pawl.exits import FAILED, INTERRUPTED, USAGE, CommandFailed
from pawl.options import as_json, command
from pawl.terminal.text import is_terminal

if TYPE_CHECKING:
    from core.settings.settings import Settings
    from pawl.check.verdict import Verdict

OUR_FAULT = 3


@command("check")
@click.argument(
    "folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
)
@as_json
def check(folder: Path, fields: str | None) -> int:
    """Would the server take this folder, and if not, why?

    Does what the server does with a push: reads model.yaml, builds the environment, loads the class in a process of its
    own, and sends it every request in examples.json. Tells how the model is called, whether its requests are merged,
    and for a failure the file, the line and what to do. The folder need not be in a git repository; what it
    'uses', and the requirements.txt of all models, are looked for beside it. Settings are those of the
    server: environment variables, such as VARIABLES or DEVICE.

    Checked is the folder as it lies on disk, files that git ignores included; what git would not push is told.

    Examples:

      pawl check models_serve/Iris

      pawl check . --json | jq .failure.message

    A folder that trains is tried with the newest accepted artifact of its code. Where there is none, it is read alone:
    whether a run finds its code, and what to do to train it.

    Exit code: 0 if it can be served, or has yet to be trained and can be; 1 if not; 2 for a wrong argument or setting.
    """
    from core.errors import PawlError  # here and below: what is slow to import, not for --help
    from pawl.check.verdict import Verdict
    from pawl.terminal.json_output import check_fields
    from server.uploads.errors import NotExamined

    check_fields(fields or "", Verdict.__struct_fields__)
    try:
        verdict = _examine(folder)
        _print(verdict, fields)
    except NotExamined as error:
        raise CommandFailed(OUR_FAULT, str(error)) from error
    except PawlError as error:
        raise CommandFailed(USAGE, str(error)) from error
    except KeyboardInterrupt:
        raise CommandFailed(INTERRUPTED, "interrupted") from None
    except CommandFailed:
        raise
    except Exception as error:
        if os.environ.get("LOG_LEVEL") == "debug":
            raise
        raise CommandFailed(OUR_FAULT, f"Pawl itself failed: {error!r}; LOG_LEVEL=debug shows where") from error
    return 0 if verdict.ok else FAILED


def _examine(folder: Path) -> Verdict:
    import msgspec

    from core.settings.reading import read_settings, scrubbed
    from pawl.check.examination import examine
    from pawl.terminal.progress import Progress

    settings: Settings = read_settings(os.environ)
    with Progress(settings.log_level) as progress:
        verdict = examine(folder, settings, scrubbed(os.environ), progress.tell)
    return msgspec.structs.replace(verdict, log=progress.lines)


def _print(verdict: Verdict, fields: str | None) -> None:
    import msgspec

    from pawl.check.lines import print_lines
    from pawl.check.printing import show
    from pawl.terminal.json_output import print_json
    from pawl.terminal.table import console

    if fields is not None:
        print_json(msgspec.to_builtins(verdict), fields)
    elif is_terminal():
        show(verdict, console())
    else:
        print_lines(verdict)
