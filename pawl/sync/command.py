"""`pawl sync`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from core.paths import SYNC
from pawl.client.api import Api
from pawl.exits import FAILED, STILL_RUNNING, UNREACHABLE, CommandFailed
from pawl.options import FiniteRange, as_json, asks_server, command
from pawl.terminal.table import print_rows
from pawl.terminal.text import one_line

if TYPE_CHECKING:
    from pawl.sync.outcomes import Synced

_ASK_S = 50.0
"""The server answers within that."""
_SHOW_S = 5.0
"""The same where somebody watches."""


@command("sync")
@click.option("--wait", is_flag=True, help="End once all that was found is live or has failed.")
@click.option(
    "--timeout",
    type=FiniteRange(min=1),
    default=1800.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait at most.",
)
@as_json
@asks_server
def sync(api: Api, wait: bool, timeout: float, fields: str | None) -> int:
    """Have a server look at its repository now, and tell what becomes of the push.

    Without --wait it is asked to look, and that is all. With it, each model is told when everything is
    decided: live, failed (with the reason; what was live before still is), unchanged, removed, rejected, or in
    training, which is not waited for. Folders that look like models and are left out are told on stderr, each with
    the reason.

    Examples:

      git push && pawl sync --wait

      PAWL_SERVER=https://models.example.org/models_serve PAWL_TOKEN=… pawl sync --wait --json

    In a pipe it prints a line for each model: name, state, version and message, with tabs between them.

    Exit code: 0 if nothing failed (a folder that is left out is no failure), 1 if a model did or the repository could
    not be read, 2 for a wrong argument, 3 if no Pawl is at that address, 4 for a wrong or missing token, 6 if the
    server can't be reached, 7 if something was still pending when the time was over.
    """
    from pawl.sync.outcomes import Synced  # here and below: what is slow to import, not for --help
    from pawl.terminal.json_output import check_fields

    check_fields(fields or "", Synced.__struct_fields__)
    found, is_all = _wait(api, timeout) if wait else (_ask(api, 0.0)[0], True)
    _print(found, fields, wait)
    if found.problem is not None:
        raise CommandFailed(FAILED, f"nothing new is served: {found.problem}")
    if not is_all:
        what = ", ".join(found.pending) or "the look at the repository"
        raise CommandFailed(STILL_RUNNING, f"still pending after {timeout:g} s: {what}")
    return FAILED if found.failed else 0


def _wait(api: Api, timeout_s: float) -> tuple[Synced, bool]:
    """Ask again until nothing is pending, or the time is over; and which of the two it was."""
    from rich.console import Console
    from rich.text import Text

    from pawl.sync.outcomes import Synced, since

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

    from pawl.sync.outcomes import Synced

    answer = api.send("POST", SYNC.template, wait_s=wait_s)
    try:
        return msgspec.convert(answer.json, Synced), answer.status == 200
    except msgspec.ValidationError as error:
        raise CommandFailed(UNREACHABLE, f"the server's answer can't be read: {error}") from error


def _print(found: Synced, fields: str | None, waited: bool) -> None:
    import msgspec

    from pawl.terminal.json_output import print_json

    for folder, reason in sorted(found.left_out.items()):
        click.echo(one_line(f"pawl: {folder} is left out: {reason}"), err=True)
    if fields is not None:
        print_json(msgspec.to_builtins(msgspec.structs.asdict(found) if fields else found), fields)
    elif not waited:
        sys.stdout.write("the server looks at its repository; --wait tells what becomes of it\n")
    else:
        rows = [(name, one.state, one.version, one.message) for name, one in found.models.items()]
        print_rows(("MODEL", "STATE", "VERSION", "NOTE"), rows, "there are no models")
