"""`pawl keys create`."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.exits import NOT_FOUND, USAGE, CommandFailed
from pawl.options import FiniteRange, as_json, asks_server, command, complete_models
from pawl.terminal.text import is_terminal, read_moment

KEY_FIELDS = ("id", "key", "name", "scopes", "models", "rate", "expires", "created_at", "created_by", "expired")


@command("create")
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["admin", "operate", "view", "predict"]),
    help="What it may do; repeat it for several.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    shell_complete=complete_models,
    help="For predict: that model alone; repeat it.",
)
@click.option("--rate", type=FiniteRange(min=0, min_open=True), metavar="NUMBER", help="Requests a second.")
@click.option("--expires", default="", metavar="TIME", help="When it ends: 90d from now, or a time with its zone.")
@as_json
@asks_server
def create(
    api: Api,
    name: str,
    scopes: tuple[str, ...],
    models: tuple[str, ...],
    rate: float | None,
    expires: str,
    fields: str | None,
) -> None:
    """Make a key, and show it this once: the server keeps a hash of it alone.

    Examples:

      pawl keys create pipeline --scope operate --expires 90d

      pawl keys create shop --scope predict --model Iris --model Wine --rate 50

      KEY=$(pawl keys create shop --scope predict)

    The key goes to stdout, what is said about it to stderr.

    Exit code: as for 'pawl keys'.
    """
    from pawl.terminal.json_output import check_fields, print_json

    check_fields(fields or "", KEY_FIELDS)  # the key would be lost, were they wrong
    asked: dict[str, Any] = {"name": name, "scopes": list(scopes)}
    asked |= {"models": list(models)} if models else {}
    asked |= {"rate": rate} if rate is not None else {}
    asked |= {"expires": _end(expires)} if expires else {}
    made = api.send("POST", api_path("keys"), asked).json
    if fields is not None:
        print_json(made, fields)
    else:
        if is_terminal():
            click.echo(f"key {made.get('id')} of {name!r}; it is shown this once, so keep it now:", err=True)
        sys.stdout.write(f"{made.get('key')}\n")
    sys.stdout.flush()  # nothing that comes now may keep it from who made it
    for model in dict.fromkeys(models):
        if not _is_known(api, model):
            click.echo(f"pawl: no model is called {model!r} yet; the key is for it once there is one", err=True)


def _is_known(api: Api, model: str) -> bool:
    """What can't be found out counts as known."""
    try:
        api.send("GET", api_path("models", model))
    except CommandFailed as failed:
        return failed.code != NOT_FOUND
    return True


def _end(given: str) -> str:
    if age := re.fullmatch(r"(\d+)\s*([hd])", given.strip()):
        hours = int(age[1]) * (24 if age[2] == "d" else 1)
        try:
            end = datetime.now(UTC) + timedelta(hours=hours)
        except OverflowError as error:
            raise CommandFailed(USAGE, f"--expires {given.strip()[:40]} is later than there are years") from error
        return end.isoformat(timespec="seconds").replace("+00:00", "Z")
    if read_moment(given.strip()) is None:
        raise CommandFailed(USAGE, "--expires takes 12h, 90d or a time with its zone (2027-06-21T12:00:00Z)")
    return given.strip()
