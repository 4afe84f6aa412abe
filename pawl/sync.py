"""`pawl sync`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from core.paths import SYNC
from pawl.exits import FAILED, INTERRUPTED, STILL_RUNNING, UNREACHABLE, CommandFailed, exit_with

if TYPE_CHECKING:
    from pawl.api import Api
    from pawl.outcomes import Synced

SERVER = "http://127.0.0.1:8000/models_serve"

_ASK_S = 50.0
"""The server answers within that."""
_SHOW_S = 5.0
"""The same where somebody watches."""


def sync(
    wait: Annotated[bool, typer.Option("--wait", help="End once all that was found is live or has failed.")] = False,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How long to wait at most.")] = 1800.0,
    server: Annotated[
        str, typer.Option(envvar="PAWL_SERVER", metavar="ADDRESS", help="Where models are served, baseUrl included.")
    ] = SERVER,
    token: Annotated[str, typer.Option(envvar="PAWL_TOKEN", show_default=False, help="The server's ADMIN_TOKEN.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Have a server look at its repository now, and tell what becomes of the push.

    Without [bold]--wait[/bold] it is asked to look, and that is all. With it, each model is told when everything is
    decided: live, failed (with the reason; what was live before still is), unchanged, removed, rejected, or in
    training, which is not waited for.

    Examples:

      git push && pawl sync --wait

      PAWL_SERVER=https://models.example.org/models_serve PAWL_TOKEN=… pawl sync --wait --json

    In a pipe it prints a line for each model: name, state, version and message, with tabs between them.

    Exit code: 0 if nothing failed, 1 if a model did or the repository could not be read, 2 for a wrong argument, 3 if
    no Pawl is at that address, 4 for a wrong or missing token, 6 if the server can't be reached, 7 if something was
    still pending when the time was over.
    """
    from pawl.api import Api  # here and below: what is slow to import, not for --help

    try:
        api = Api(server, token)
        try:
            found, is_all = _wait(api, timeout) if wait else (_ask(api, 0.0)[0], True)
        finally:
            api.close()
    except CommandFailed as failed:
        raise exit_with(failed.code, str(failed)) from failed
    except KeyboardInterrupt:
        raise exit_with(INTERRUPTED, "interrupted; the server goes on") from None
    _print(found, as_json, wait)
    if found.problem is not None:
        raise exit_with(FAILED, f"the repository could not be read: {found.problem}")
    if not is_all:
        what = ", ".join(found.pending) or "the look at the repository"
        raise exit_with(STILL_RUNNING, f"still pending after {timeout:g} s: {what}")
    raise typer.Exit(FAILED if found.failed else 0)


def _wait(api: Api, timeout_s: float) -> tuple[Synced, bool]:
    """Ask again until nothing is pending, or the time is over; and which of the two it was."""
    from rich.console import Console
    from rich.text import Text

    from pawl.outcomes import Synced, since

    end = time.monotonic() + timeout_s
    console = Console(stderr=True)
    patience_s = _SHOW_S if console.is_terminal else _ASK_S
    found = Synced(head="", models={})
    with console.status("looking at the repository…") as status:
        while True:
            now, is_all = _ask(api, max(0.1, min(patience_s, end - time.monotonic())))
            found = since(found, now)
            if is_all or time.monotonic() >= end:
                return found, is_all
            status.update(Text(", ".join(f"{name}: {one.message}" for name, one in found.pending.items())))


def _ask(api: Api, wait_s: float) -> tuple[Synced, bool]:
    """What the server found, and whether that is all."""
    import msgspec

    from pawl.outcomes import Synced

    status, answer = api.post(SYNC.template, wait_s)
    try:
        return msgspec.convert(answer, Synced), status == 200
    except msgspec.ValidationError as error:
        raise CommandFailed(UNREACHABLE, f"the server's answer can't be read: {error}") from error


def _print(found: Synced, as_json: bool, waited: bool) -> None:
    import msgspec

    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    elif not waited:
        sys.stdout.write("the server looks at its repository; --wait tells what becomes of it\n")
    elif sys.stdout.isatty():
        _show(found)
    else:
        for name, one in found.models.items():
            sys.stdout.write("\t".join(map(_plain, (name, one.state, one.version, one.message))) + "\n")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _show(found: Synced) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pawl.outcomes import FAILED as FAILED_STATE
    from pawl.outcomes import LIVE

    colours = {LIVE: "green", FAILED_STATE: "red"}
    table = Table.grid(padding=(0, 2))
    for name, one in found.models.items():
        state = Text(one.state, style=colours.get(one.state, "dim"))
        table.add_row(Text(name, style="bold"), state, one.version, Text(one.message))
    Console(highlight=False).print(table)
