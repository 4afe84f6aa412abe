"""`pawl login`."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from pawl.options import as_json, command


@command("login")
@click.argument("address", metavar="[ADDRESS]", default="")
@click.option("--server", envvar="PAWL_SERVER", metavar="ADDRESS", default="", help="The same as ADDRESS.")
@click.option(
    "--token", metavar="TOKEN", default=None, help="The key; without it, it is asked for, or read from a pipe."
)
@click.option("--forget", is_flag=True, help="Forget the server and its key instead.")
@as_json
def login(address: str, server: str, token: str | None, forget: bool, fields: str | None) -> int:
    """Keep the address and the key of a server, so that commands need neither --server nor --token.

    The key is tried before it is kept. It is kept in pawl/login.json in your configuration folder (~/.config), readable
    for you alone, and sent to no other server. Several servers are kept; the last one is asked where none is named.

    Examples:

      pawl login https://models.example.org/models_serve

      pawl login https://models.example.org/models_serve < key.txt

      pawl login --forget

    Exit code: 0 if it is kept, 2 for what is not an address, 3 if no Pawl is there, 4 for a wrong key, 6 if the server
    can't be reached.
    """
    from pawl.client.address import address_of  # here and below: what is slow to import, not for --help
    from pawl.client.connection import where
    from pawl.client.login_file import LoginFile
    from pawl.terminal.json_output import check_fields

    check_fields(fields or "", ("server", "kept", *(() if forget else ("file", "models"))))
    file = LoginFile(os.environ)
    at = address_of(address or server) if address or server else where("").admin
    if forget:
        says = f"{at} is forgotten" if file.forget(at) else f"{at} was not kept"
        _say(says, {"server": at, "kept": False}, fields)
        return 0
    held = (token if token is not None else _asked()).strip()
    count = len(_tried(at, held))
    file.add(at, held)
    says = f"{at} is kept in {file.path}; it serves {count} model{'' if count == 1 else 's'}"
    _say(says, {"server": at, "kept": True, "file": str(file.path), "models": count}, fields)
    return 0


def _say(says: str, told: dict[str, Any], fields: str | None) -> None:
    from pawl.terminal.json_output import print_json

    if fields is None:
        sys.stdout.write(f"{says}\n")
    else:
        print_json(told, fields)


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(click.prompt("Key (nothing where none is needed)", default="", hide_input=True, show_default=False))


def _tried(address: str, token: str) -> list[Any]:
    from pawl.client.api import Api, api_path

    return Api(address, token).items(api_path("models"), 10_000)
